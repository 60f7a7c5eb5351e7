"""The query language: text to a tree, or one sentence with line, column and a hint. The grammar is `query.lark`.

The grammar is looser than the language, so that what people often get wrong (words side by side, AND mixed with OR) can be
told from what is merely broken. Nothing here knows which actors exist.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final, cast

from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken

from consumers.syntax import (
    ActorTerm,
    And,
    Attribute,
    Count,
    Exactness,
    InZone,
    ListTerm,
    Near,
    Node,
    Not,
    Or,
    Same,
    Term,
    children,
    is_positive,
    make_term,
    walk,
)
from daemon.errors import RasidError
from daemon.messages.article import Zone

FIELDS: Final = ("title", "lead", "body", "rest", "source", "feed", "lang", "country", "author", "url", "tag", "actor", "list")
_LONGEST: Final = 250_000
_DEEPEST: Final = 40
_MOST: Final = 10_000
_WIDEST: Final = 1_000
_DIGITS: Final = 4
_SMALLER: Final = "make several rules of it, or put names into a file of actors and ask for them by list:"
_REASONS: Final = {
    "“ ” „ ‟ « »": 'is no quotation mark here; write phrases with straight quotes: "two words"',
    "، ؛": "(an Arabic comma) has no meaning here; put AND or OR between terms",
    "AND OR": "must stand between two terms",
    "*": "stands at the end of a word only, after three or more letters",
}
_EXACTNESS: Final = {"=": Exactness.EXACT, "^": Exactness.CASED}


class QueryError(RasidError):
    """A query cannot be read. `line` and `column` count from 1 within the query."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        place = f"line {line}, column {column}" if line > 1 else f"column {column}"
        super().__init__(f"{place} of the query: {reason}")
        self.line = line
        self.column = column


def parse_query(text: str, *, needs_positive: bool = True) -> Node:
    """The tree of a query. Raises `QueryError`; also for a query that could hold without any term being found."""
    if len(text) > _LONGEST:
        raise QueryError(f"is longer than {_LONGEST} characters; {_SMALLER}")
    _check_parentheses(text)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _explained(error, text) from None
    _check_depth(tree)
    node = _chain(tree.children)
    terms = sum(1 for part in walk(node) if not children(part))
    if terms > _MOST:
        raise QueryError(f"has {terms} terms, more than {_MOST}; {_SMALLER}")
    if needs_positive and not is_positive(node):
        raise QueryError("has no positive term, so it could hold where nothing was found; add a word, a phrase or an actor")
    return node


@cache
def _parser() -> Lark:
    grammar = files("consumers").joinpath("query.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _check_parentheses(text: str) -> None:
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth > _DEEPEST:
            raise QueryError(f"has more than {_DEEPEST} parentheses within each other", *_place(text, place))


def _check_depth(tree: Tree[Token]) -> None:
    """What stands in front of a term nests, too, without parentheses: NOT NOT … a."""
    waiting = [(tree, 0)]
    while waiting:
        parent, depth = waiting.pop()
        depth += parent.data in {"negation", "in_zone"}
        if depth > _DEEPEST:
            raise _at(parent, f"more than {_DEEPEST} NOT and fields stand within each other")
        waiting += [(child, depth) for child in parent.children if isinstance(child, Tree)]


def _chain(parts: list[Token | Tree[Token]]) -> Node:
    """Terms and operators by turns, with one kind of operator. What is said twice is kept once."""
    operands: list[Node] = []
    operators: list[Token] = []
    expecting = True
    for child in parts:
        operator = _operator(child)
        if operator is None:
            if not expecting:
                raise _side_by_side(child)
            operands.append(_node(child))
        elif expecting:
            raise _at(operator, f"{operator} must stand between two terms")
        else:
            operators.append(operator)
        expecting = operator is not None
    if expecting:
        raise _at(operators[-1], f"{operators[-1]} must stand between two terms; nothing follows it")
    for operator in operators:
        if operator != operators[0]:
            raise _at(operator, "AND and OR are mixed; put parentheses round what belongs together, as in (a OR b) AND c")
    distinct = tuple(dict.fromkeys(operands))
    if len(distinct) == 1:
        return distinct[0]
    return And(distinct) if operators[0] == "AND" else Or(distinct)


def _operator(child: Token | Tree[Token]) -> Token | None:
    if isinstance(child, Tree) and child.data == "operator":
        return next(token for token in child.children if isinstance(token, Token))
    return None


def _node(tree: Token | Tree[Token]) -> Node:
    if isinstance(tree, Token):
        raise TypeError(f"the grammar gave the bare token {tree!r} where a term stands")
    return _BUILDERS[str(tree.data)](tree)


def _near(tree: Tree[Token]) -> Near:
    if len(tree.children) > 3:
        raise _at(tree.children[3], "NEAR and BEFORE take one term on each side; write a NEAR/5 b AND b NEAR/5 c")
    left, distance, right = tree.children
    name, words = str(distance.children[0]).split("/") if isinstance(distance, Tree) else ("", "0")
    if len(words) > _DIGITS or int(words) > _WIDEST:
        raise _at(distance, f"{name} takes at most {_WIDEST} words")
    return Near(_leafy(left, name), _leafy(right, name), int(words), ordered=name == "BEFORE")


def _leafy(tree: Token | Tree[Token], name: str) -> Node:
    """What stands in places: words, phrases, actors, and these in OR."""
    node = _node(tree)
    if not all(isinstance(part, Term | ActorTerm | ListTerm | Or) for part in walk(node)):
        raise _at(tree, f"{name} takes words, phrases, actors, and several of them with OR; no AND, NOT, NEAR or fields")
    return node


def _count(tree: Tree[Token]) -> Count:
    digits = str(tree.children[-1])
    least = int(digits[:_DIGITS])
    if len(digits) > _DIGITS or not 1 <= least <= _WIDEST:
        raise _at(tree.children[-1], f"COUNT compares with a number from 1 to {_WIDEST}")
    return Count(_leafy(tree.children[-3], "COUNT"), least)


def _attribute(tree: Tree[Token]) -> Node:
    field, _, value = str(tree.children[0]).partition(":")
    value = value.strip('"')
    if field == "actor":
        return ActorTerm(value)
    return ListTerm(value) if field == "list" else Attribute(field, value)


def _term(tree: Tree[Token]) -> Term:
    *marks, text = tree.children
    mark = str(marks[0]) if marks else ""
    try:
        return make_term(str(text).strip('"'), exactness=_EXACTNESS.get(mark, Exactness.FOLDED))
    except ValueError as error:
        raise _at(text, str(error)) from None


def _at(where: Token | Tree[Token], reason: str) -> QueryError:
    line, column = (where.line, where.column) if isinstance(where, Token) else (where.meta.line, where.meta.column)
    return QueryError(reason, line or 1, column or 1)


def _side_by_side(child: Token | Tree[Token]) -> QueryError:
    word = str(child.children[-1]) if isinstance(child, Tree) and child.data == "term" else ""
    if word.upper() in {"AND", "OR", "NOT"} or re.fullmatch(r"(near|before)/\d+", word, re.IGNORECASE):
        return _at(child, f"{word} is read as a word here; operators are written in capitals: {word.upper()}")
    if re.fullmatch(r"(NEAR|BEFORE)(/\D*)?", word):
        return _at(child, f"{word} needs a number of words, as in NEAR/8")
    return _at(child, 'two terms stand side by side; put AND or OR between them, or quotes round a phrase: "two words"')


_BUILDERS: Final[Mapping[str, Callable[[Tree[Token]], Node]]] = {
    "chain": lambda tree: _chain(tree.children),
    "group": lambda tree: _node(tree.children[0]),
    "negation": lambda tree: Not(_node(tree.children[1])),
    "near": _near,
    "same": lambda tree: Same(_leafy(tree.children[-2], "SAME"), _leafy(tree.children[-1], "SAME")),
    "count": _count,
    "in_zone": lambda tree: InZone(Zone(str(tree.children[0])[:-1]), _node(tree.children[1])),
    "attribute": _attribute,
    "term": _term,
}


def _explained(error: UnexpectedInput, text: str) -> QueryError:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return QueryError(_cut_short(text), *_place(text, len(text)))
    at = cast("int", error.pos_in_stream)
    found = str(error.token) if isinstance(error, UnexpectedToken) else text[at : at + 1]
    if found == ":":
        return _unknown_field(text, at)
    return QueryError(_out_of_place(found, text), *_place(text, at))


def _cut_short(text: str) -> str:
    if not text.strip():
        return "is empty"
    return "a ) is missing" if text.count("(") > text.count(")") else "ends too early; a term is missing"


def _out_of_place(found: str, text: str) -> str:
    if found == '"' and text.count('"') % 2:
        return 'a closing " is missing'
    if found == ")":
        return "this ) has no (" if text.count(")") > text.count("(") else "a term is missing before this )"
    for characters, reason in _REASONS.items():
        if found in characters.split():
            return f"{found} {reason}"
    return f"{found!r} has no meaning here; put quotes round it if it is part of a phrase"


def _unknown_field(text: str, at: int) -> QueryError:
    name = re.split(r'[\s()"]', text[:at])[-1]
    if name in FIELDS:
        return QueryError(f"{name}: needs a value right after it, as in {name}:word", *_place(text, at))
    close = difflib.get_close_matches(name.lower(), FIELDS, n=1)
    hint = f"did you mean {close[0]}:?" if close else "the fields are " + ", ".join(FIELDS)
    return QueryError(f"{name}: is no field; {hint}", *_place(text, at - len(name)))


def _place(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
