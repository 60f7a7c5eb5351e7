"""The layers of the house, held: imports go downward only, hops never meet, files and functions stay small."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("daemon", "consumers", "alerts")
KERNEL: tuple[str, ...] = (
    "daemon.messages",
    "daemon.config",
    "daemon.metrics",
    "daemon.log",
    "daemon.errors",
    "daemon.urls",
    "daemon.dates",
)
KERNEL += ("daemon.sketch", "daemon.clock")
LAYERS: tuple[tuple[str, ...], ...] = (
    KERNEL,
    ("daemon.bus",),
    ("daemon.stage", "daemon.server", "daemon.workers", "daemon.net"),
    ("daemon.feeds", "consumers", "alerts"),
    ("daemon.app", "daemon.cli", "daemon.__main__"),
)
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
BESIDE = sorted(path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
"""What is not shipped."""


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def rooms_of(module: str) -> list[tuple[int, str]]:
    """The layer and the room a module belongs to; `daemon` itself is nobody's."""
    return [(level, room) for level, rooms in enumerate(LAYERS) for room in rooms if f"{module}.".startswith(f"{room}.")]


def imports_of(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules of ours that a file imports, and whether it does so inside a function."""
    tree = ast.parse(path.read_text())
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) not in top
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) not in top


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_go_downward(path: Path) -> None:
    """A module imports from its own room or from layers below, never from a neighbour of its layer or from above.

    The bus and the runtime are layers whose rooms may use each other; the kernel likewise; hops may not.
    """
    rooms = rooms_of(module_of(path))
    for imported, _ in imports_of(path):
        for level, room in rooms_of(imported):
            for own_level, own_room in rooms:
                neighbours = level == own_level and (level != 3 or room == own_room)
                assert level < own_level or neighbours, f"{module_of(path)} imports {imported}"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_every_module_has_a_room(path: Path) -> None:
    """Each module belongs to exactly one room of the house."""
    module = module_of(path)
    assert module in FOLDERS or len(rooms_of(module)) == 1, f"{module} has no room"


def test_there_are_no_import_cycles() -> None:
    """No module reaches itself through imports."""
    known = {module_of(path): path for path in FILES}
    graph = {
        module: {name for name, _ in imports_of(path) if name in known and name != module} for module, path in known.items()
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module not in done:
            for other in sorted(graph[module]):
                visit(other, (*trail, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


@pytest.mark.parametrize("path", FILES + BESIDE, ids=module_of)
def test_files_and_functions_are_small(path: Path) -> None:
    """No file has over 400 lines, no function over 50 (style 6), in tests and benchmarks neither."""
    text = path.read_text()
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 50, node.name


@pytest.mark.parametrize("path", FILES + BESIDE, ids=module_of)
def test_modules_say_what_they_are_for(path: Path) -> None:
    """Every module has a docstring (style 10)."""
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_every_package_is_shipped() -> None:
    """The packages named in pyproject.toml are those there are: none is missing from a wheel."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {module_of(path) for path in FILES if path.name == "__init__.py"}
    assert set(named) == folders
