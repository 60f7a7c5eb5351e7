"""Logs: events with fields, one JSON object a line, never a secret."""

import io
import logging

import orjson
import pytest
import structlog

from daemon.log import Redactor, configure_logging


@pytest.fixture
def stream() -> io.StringIO:
    """Where a log goes."""
    return io.StringIO()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_events_are_json_lines_where_nobody_reads_along(stream: io.StringIO) -> None:
    """Off a terminal each event is one JSON object with its fields, level and time; texts stay readable."""
    configure_logging(stream)
    structlog.get_logger().info("feed_polled", feed="ina", name="وكالة", count=3)
    [event] = lines(stream)
    assert event.items() >= {"event": "feed_polled", "feed": "ina", "name": "وكالة", "count": 3, "level": "info"}.items()
    assert str(event["timestamp"]).endswith("Z")
    assert "وكالة" in stream.getvalue()


def test_libraries_log_through_the_same_pipe(stream: io.StringIO) -> None:
    """What a library says through `logging` comes out in the same form."""
    configure_logging(stream)
    logging.getLogger("library").warning("something %s", "odd")
    assert lines(stream)[0].items() >= {"event": "something odd", "level": "warning"}.items()


def test_what_only_a_library_wants_to_know_is_not_told(stream: io.StringIO) -> None:
    """That a file was touched is a hint; what came of it is an event of ours."""
    configure_logging(stream)
    logging.getLogger("watchfiles.main").info("%d change detected", 1)
    assert stream.getvalue() == ""


def test_secrets_are_blanked_wherever_they_stand(stream: io.StringIO) -> None:
    """A known secret is blanked in fields, nested values, library messages and tracebacks."""
    canary = "canary-51c"
    configure_logging(stream, secrets=[canary, ""])
    log = structlog.get_logger()
    log.info("tried", url=f"https://hooks.example/{canary}", nested={"list": [canary]})
    logging.getLogger("library").error("failed for %s", canary)
    log.error("broke", exc_info=RuntimeError(canary))
    assert canary not in stream.getvalue()
    assert len(lines(stream)) == 3


def test_short_secrets_do_not_blank_ordinary_words() -> None:
    """A secret of a letter or two would blank half of every line; it is left to the first lines of defence."""
    assert Redactor(["a"])(None, "info", {"event": "a"}) == {"event": "a"}


def test_secrets_that_are_learned_later(stream: io.StringIO) -> None:
    """A secret of a reload is blanked from then on, and so is the one it took the place of."""
    configure_logging(stream, secrets=["old-secret"]).learn(["new-secret"])
    structlog.get_logger().info("said", text="old-secret new-secret")
    assert "-secret" not in stream.getvalue()
    assert "[secret] [secret]" in stream.getvalue()
