"""docs/webhook.md: its fields and types are those of the body, its answers those of the channel, and its code verifies."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from alerts.channels.http import Reply
from alerts.channels.webhook import classify, cloud_event, sign
from daemon.cli.send_test import sample
from daemon.clock import WallClock
from daemon.config.receivers import read_keys
from tests.alerts.samples import message, summary

DOCS = (Path(__file__).parents[3] / "docs" / "webhook.md").read_text("utf-8")
EXAMPLES = [orjson.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)]
EVENTS = {
    event["type"]: event
    for event in (cloud_event(sent, "k") for sent in (message(), message(update=True), summary(), sample("desk", 0.0)))
}
SECRET = "whsec_c2VjcmV0LWNhbmFyeQ=="


def fields(what: str) -> list[str]:
    """The names in the first column of a table."""
    table = DOCS.partition(f"<!-- names: {what} -->\n")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def shape(value: Any) -> Any:
    """The names in a body, without what stands below them: of a list, those of its first entry."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value and not isinstance(value[0], str) else None


def test_fields() -> None:
    """Every field of the body is documented, in its order, and no other."""
    for event in EVENTS.values():
        assert fields("webhook event") == list(event)
        assert fields("webhook data") == list(event["data"])


def test_examples() -> None:
    """There is one example of each type, with the fields that a real one has."""
    assert [example["type"] for example in EXAMPLES] == list(EVENTS)
    for example in EXAMPLES:
        assert shape(example) == shape(EVENTS[example["type"]])


@pytest.mark.parametrize("row", re.findall(r"^\| ([^|]*\d{3}[^|]*) \| `(\w+)` \| `(\w+)` \|$", DOCS, re.MULTILINE))
def test_answers(row: tuple[str, str, str]) -> None:
    """What the page says of a status is what the channel makes of it."""
    for first, last in re.findall(r"(\d{3})(?: to (\d{3}))?", row[0]):
        for status in range(int(first), int(last or first) + 1):
            answer = classify(Reply(status, "", None))
            assert (answer.outcome.value, answer.reason.value) == row[1:], status


def test_the_code_verifies() -> None:
    """The page's own check takes what Rasid signs, also with two secrets, and nothing else."""
    body, now = b'{"id": "m1.1"}', int(WallClock().now())
    keys = read_keys(f"whsec_b2xk {SECRET}")
    headers = {"webhook-id": "m1.1", "webhook-timestamp": str(now), "webhook-signature": sign(keys, "m1.1", now, body)}
    verify = _verify()
    assert verify(SECRET, headers, body)
    assert not verify(SECRET, headers, body + b" ")
    assert not verify("whsec_YW5vdGhlcg==", headers, body)
    assert not verify(SECRET, headers | {"webhook-timestamp": str(now - 400)}, body)
    assert not verify(SECRET, {**headers, "webhook-signature": ""}, body)


def _verify() -> Callable[..., bool]:
    """The function that the page prints."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the page's own code, to be run as its readers run it
    verify: Callable[..., bool] = names["verify"]
    return verify
