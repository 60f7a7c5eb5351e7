"""Messages on the wire: what was released stays readable, unknown fields are tolerated, bad bytes are typed errors."""

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.errors import DecodeError
from daemon.messages.wire import article_id, decode, encode, match_id
from tests.messages.samples import SAMPLES

GOLDEN = Path(__file__).parent.parent / "golden" / "messages"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/*.json")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_released_bytes_decode(path: Path) -> None:
    """The bytes of every released record version still say what they said."""
    assert decode(path.read_bytes()) == SAMPLES[path.stem]


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_every_message_has_golden_bytes(kind: str) -> None:
    """No kind of message goes out without its bytes being kept."""
    assert list(GOLDEN.glob(f"*/{kind}.json"))


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_what_is_written_is_read(kind: str) -> None:
    """A message comes back equal from its own bytes."""
    assert decode(encode(SAMPLES[kind])) == SAMPLES[kind]


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_unknown_fields_are_tolerated(kind: str) -> None:
    """A newer minor release's optional fields do not disturb this one."""
    fields = orjson.loads(encode(SAMPLES[kind])) | {"from_the_future": {"x": [1]}}
    assert decode(orjson.dumps(fields)) == SAMPLES[kind]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "without a value"),
        (b"", "not a message"),
        (b"\xff\xfe", "not a message"),
        (b"[1]", "not a message"),
        (b'{"kind":"match"}', "not a message"),
        (b'{"kind":"match","v":2}', "match: version 2 is not known"),
        (b'{"kind":"poem","v":1}', "poem: a kind of message"),
        (b'{"kind":"match","v":1,"id":5}', "match: Expected"),
        (b'{"kind":"match","v":1,"id":"\xff"}', "match:"),
    ],
)
def test_bad_bytes_are_typed_errors(value: bytes | None, reason: str) -> None:
    """Whatever stands on a topic, it decodes or raises `DecodeError` that says which kind and why."""
    with pytest.raises(DecodeError, match=reason):
        decode(value)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_decoder(value: bytes) -> None:
    """Any bytes at all: a message or a `DecodeError`."""
    with pytest.raises(DecodeError):
        decode(value)


def test_ids_are_stable() -> None:
    """Ids are fixed for ever: stored data depends on them."""
    assert article_id("example.org/1") == "d1555b8e6396bb0f175fcb382d12964e"
    assert match_id("iraq", "a1", 1) == "be989445230cd59e9e4467af37f6d735"
