"""Documents of others that lie beside a checkout, not in it, where people have them: no command could install them."""

from pathlib import Path
from typing import Final

import pytest

ABSENT: Final = "a document that is not part of the repository: "
"""How the reason of a skip begins that CI allows, too (`tests/conftest.py`): every other one is a missing install."""
_PAGE: Final = Path(__file__).parents[2] / "shared" / "seed" / "article-page.txt"


def article_page() -> str:
    """The page that drives this project. Skips the test where it is not at hand."""
    if not _PAGE.exists():
        pytest.skip(f"{ABSENT}{_PAGE.name}")
    return _PAGE.read_text(encoding="utf-8")
