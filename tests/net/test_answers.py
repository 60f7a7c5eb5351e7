"""What headers say."""

import pytest

from daemon.net.answers import retry_after, validator


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("9" * 5000, 9999999999.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("Thu, 99 Jan 9999999 00:20:00 GMT", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    """Feeds 14: seconds or a date, counted from now; a past date is no wait, anything else nothing."""
    assert retry_after(text, now=1000.0) == seconds


@pytest.mark.parametrize("text", ['"a"\r\nX: y', '"\udcff"', '"' + "x" * 5000 + '"'])
def test_validators_that_cannot_travel(text: str) -> None:
    """Feeds 1: what could not be sent back byte for byte is not kept."""
    assert validator(text) == ""
