"""Articles and watchlists for the matcher's tests, in a line each."""

from textwrap import dedent

from consumers.compile import Compiled, compile_desks
from consumers.given import given_article
from consumers.judge import Judgement
from consumers.matcher import judge_article
from consumers.watchlist.desk import Desk
from consumers.watchlist.read import parse_watchlist
from daemon.messages.article import Article


def article(body: str = "", **values: object) -> Article:
    return given_article({"body": body, **values}, "a1")


def desk(text: str) -> Desk:
    (read,) = parse_watchlist("desk: d\n" + dedent(text), "desk.yaml")
    return read


def compiled(text: str, engine: str | None = None) -> Compiled:
    return compile_desks([desk(text)], engine)


def judged(text: str, subject: Article, engine: str | None = None) -> Judgement:
    """What a desk of this watchlist (without its `desk:` line) makes of an article."""
    ((_, judgement),) = judge_article(compiled(text, engine), subject)
    return judgement


def surfaces(judgement: Judgement) -> list[tuple[str, str]]:
    """Each hit's clitic and surface, in the texts' order."""
    return [(hit.prefix, hit.surface) for hit in judgement.hits]
