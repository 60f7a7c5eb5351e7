"""The shape of a watchlist file, typed and frozen (matching.md, “Watchlists”); a key not built is refused as unknown."""

from collections.abc import Sized
from functools import partial
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from consumers.query import QueryError, parse_query
from consumers.syntax import Node, make_term
from consumers.text.endings import languages
from consumers.text.scripts import Clitics
from daemon.config.model import Model
from daemon.config.models import Id
from daemon.messages.article import Zone
from daemon.messages.match import Severity, Stage

_LONGEST_NAME: Final = 200
_Values = TypeVar("_Values", bound=Sized)


def _plain_text(value: object) -> object:
    """What YAML took for something else than text is a mistake that would fail silently."""
    if value is None or isinstance(value, bool | int | float):
        raise ValueError(f"YAML reads this as {value!r}, not as a text; put quotes round it")
    return value


def _phrase(text: str) -> str:
    """A literal phrase of a rule or guard; `*` at its end for any ending."""
    _refuse_commas(text)
    if text[:1] in {"=", "^"} and text[1:2].isalnum():
        raise ValueError(f"{text!r}: {text[0]} means something in queries only; write where: '{text}' in a rule of its own")
    make_term(text)
    return text


def check_name(text: str) -> str:
    """A name as an alias. Raises `ValueError` for what could not be found or would be found silently wrong."""
    _refuse_commas(text)
    if "*" in text:
        raise ValueError(f"{text!r}: * has no meaning in a name; write the names out, or use a rule")
    make_term(text, Clitics.NAME)
    return text


def _refuse_commas(text: str) -> None:
    if len(text) > _LONGEST_NAME:
        raise ValueError(f"a name or phrase has at most {_LONGEST_NAME} characters, this has {len(text)}")
    if "،" in text or "؛" in text:
        raise ValueError(
            f"{text!r} has an Arabic comma (، or ؛) in it and would be one long name; separate names by a plain comma"
        )


def _query(value: object, *, needs_positive: bool = True) -> Node:
    if not isinstance(text := _plain_text(value), str):
        raise ValueError(f"{value!r} is no query; write it as a text")  # noqa: TRY004 - pydantic reads ValueErrors only
    try:
        return parse_query(text, needs_positive=needs_positive)
    except QueryError as error:
        raise ValueError(str(error)) from error


def _some(values: _Values) -> _Values:
    if not values:
        raise ValueError("is empty; give at least one")
    return values


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; write it like Asia/Baghdad") from error
    return name


def _several(value: object) -> object:
    """One may stand without its list."""
    return [value] if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_plain_text)]
Name = Annotated[Text, AfterValidator(check_name)]
Phrase = Annotated[Text, AfterValidator(_phrase)]
Phrases = Annotated[tuple[Phrase, ...], BeforeValidator(_several)]
Notify = Annotated[tuple[Id, ...], BeforeValidator(_several)]
Kind = Literal["person", "organisation", "place", "group", "other"]


Said: TypeAlias = bool | tuple[str, ...] | None


def _known_languages(said: Said) -> Said:
    unknown = [code for code in said if code not in languages()] if isinstance(said, tuple) else []
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no language with endings; there are {', '.join(languages())}")
    return said


Inflect = Annotated[Said, AfterValidator(_known_languages), BeforeValidator(_several)]
"""Whether a name is found with endings, or in which languages; `true`, like nothing, is what `default_languages` says."""


class Alias(Model):
    """A name with options. `loose`: ى/ي, ة/ه and the hamza's carriers may stand for each other in a name of one word."""

    name: Name
    loose: bool = False
    inflect: Inflect = None


def _shape(value: object) -> str:
    if isinstance(value, Alias) or (isinstance(value, dict) and "name" in value):
        return "an alias"
    if isinstance(value, dict):
        return "a map"
    return "a list" if isinstance(value, list | tuple) else "a name"


OneName = Annotated[Annotated[Name, Tag("a name")] | Annotated[Alias, Tag("an alias")], Discriminator(_shape)]
SomeNames = Annotated[
    Annotated[Name, Tag("a name")]
    | Annotated[Alias, Tag("an alias")]
    | Annotated[tuple[OneName, ...], AfterValidator(_some), Tag("a list")],
    Discriminator(_shape),
]
Names = Annotated[
    Annotated[Name, Tag("a name")]
    | Annotated[Alias, Tag("an alias")]
    | Annotated[tuple[OneName, ...], AfterValidator(_some), Tag("a list")]
    | Annotated[dict[str, SomeNames], AfterValidator(_some), Tag("a map")],
    Discriminator(_shape),
]


class RequireNear(Model):
    any: Annotated[Phrases, AfterValidator(_some)]
    within: int = Field(default=15, ge=0, le=1000)


class ActorEntry(Model):
    id: Id | None = None
    kind: Kind = "other"
    names: Names
    inflect: Inflect = None
    severity: Severity | None = None
    notify: Notify = ()
    alert: bool = True
    require_near: RequireNear | None = None
    not_in: Phrases = ()


class ActorFile(Model):
    """A CSV or JSONL file of `id,kind,lang,name`, one name a line; its path is relative to the watchlist's."""

    file: Text


def _actor_shape(value: object) -> str:
    if isinstance(value, dict):
        return "a file" if "file" in value else "an actor"
    if isinstance(value, ActorFile | ActorEntry):
        return "a file" if isinstance(value, ActorFile) else "an actor"
    return "a list" if isinstance(value, list | tuple) else "a name"


ActorItem = Annotated[
    Annotated[Name, Tag("a name")]
    | Annotated[tuple[OneName, ...], AfterValidator(_some), Tag("a list")]
    | Annotated[ActorEntry, Tag("an actor")]
    | Annotated[ActorFile, Tag("a file")],
    Discriminator(_actor_shape),
]


class TestArticle(Model):
    """An article of a rule's test: texts by zone, and what else a rule may ask for."""

    __test__ = False  # its name makes pytest take it for tests

    title: Text = ""
    lead: Text = ""
    body: Text = ""
    rest: Text = ""
    lang: Text = ""
    url: Text = ""
    source: Text = ""
    feed: Text = ""
    country: Text = ""
    author: Text = ""
    tag: Text = ""

    @model_validator(mode="after")
    def _has_a_text(self) -> Self:
        if not (self.title or self.lead or self.body or self.rest).strip():
            raise ValueError("a test needs a text: title, lead, body or rest")
        return self


def _body(value: object) -> object:
    return {"body": value} if isinstance(value, str) else value


Example = Annotated[TestArticle, BeforeValidator(_body)]


class TestEntry(Model):
    """`match` or `miss`; a plain text is a body."""

    __test__ = False

    match: Example | None = None
    miss: Example | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.match is None) == (self.miss is None):
            raise ValueError("a test is either `match: …` or `miss: …`")
        return self


class RuleEntry(Model):
    """`where` in the query language, or `any`, `all`, `none` of literal phrases. Queries are trees once they are validated."""

    id: Id | None = None
    name: Text = ""
    where: Annotated[Any, BeforeValidator(_query)] = None
    any: Phrases = ()
    all: Phrases = ()
    none: Phrases = ()
    unless: Annotated[Any, BeforeValidator(partial(_query, needs_positive=False))] = None
    zones: Annotated[tuple[Zone, ...], AfterValidator(_some)] = (Zone.TITLE, Zone.LEAD, Zone.BODY)
    severity: Severity | None = None
    notify: Notify = ()
    stage: Stage = Stage.LIVE
    tests: tuple[TestEntry, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.where is not None and (self.any or self.all or self.none):
            raise ValueError("a rule has either `where` or `any`, `all` and `none`, not both")
        if self.where is None and not (self.any or self.all):
            raise ValueError("a rule needs `where`, `any` or `all`: something that must be found")
        return self


def _keyword_shape(value: object) -> str:
    return "a rule" if isinstance(value, dict | RuleEntry) else "a phrase"


KeywordItem = Annotated[Annotated[Phrase, Tag("a phrase")] | Annotated[RuleEntry, Tag("a rule")], Discriminator(_keyword_shape)]


class Defaults(Model):
    severity: Severity = Severity.NORMAL
    notify: Notify = ()


class DeskFile(Model):
    """One desk's part of a watchlist file. Severities and receivers not given are the defaults' of the same part."""

    desk: Id
    time_zone: Annotated[str, AfterValidator(_time_zone)] | None = None
    defaults: Defaults = Defaults()
    actors: tuple[ActorItem, ...] = ()
    keywords: tuple[KeywordItem, ...] = ()
    rules: tuple[RuleEntry, ...] = ()
