"""A feed of forty items: parsed whole, with nothing new, with two new; beside feedparser on the whole document.

Run: .venv/bin/python -m benchmarks.parse. Median CPU milliseconds of interleaved rounds.
"""

from collections.abc import Callable, Mapping
from statistics import median
from time import process_time
from typing import Final

import feedparser

from daemon.feeds.parse.feed import parse_feed

_ROUNDS: Final = 40
_BODY: Final = "وقال المتحدث إن الاجتماع تناول التعاون الأمني وتبادل المعلومات بين الجانبين. " * 6
_ITEM: Final = (
    "<item><title>خبر رقم {n}: اجتماع في العاصمة</title><link>https://news.example.net/{n}</link><guid>https://news.example.net/{n}</guid>"
    "<pubDate>Mon, 05 Feb 2024 14:03:22 +0300</pubDate><dc:creator>مراسل</dc:creator><category>سياسة</category>"
    "<description><![CDATA[<p>{body}</p><p><a href='/{n}'>المزيد</a> <img src='/{n}.jpg'></p>]]></description></item>"
)


def document() -> bytes:
    items = "".join(_ITEM.format(n=n, body=_BODY) for n in range(40))
    head = '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>c</title>'
    return f'<?xml version="1.0" encoding="utf-8"?>{head}{items}</channel></rss>'.encode()


def _milliseconds(call: Callable[[], object]) -> float:
    started = process_time()
    call()
    return (process_time() - started) * 1e3


def main() -> None:
    raw = document()
    hashes = parse_feed(raw, now=1.8e9).hashes
    calls: Mapping[str, Callable[[], object]] = {
        "whole feed": lambda: parse_feed(raw, now=1.8e9),
        "nothing new": lambda: parse_feed(raw, now=1.8e9, known=frozenset(hashes)),
        "two of forty new": lambda: parse_feed(raw, now=1.8e9, known=frozenset(hashes[2:])),
        "feedparser alone": lambda: feedparser.parse(raw, response_headers={"content-type": "application/xml"}),
    }
    times = {name: [_milliseconds(call) for _ in range(1)] for name, call in calls.items()}
    for _ in range(_ROUNDS):
        for name, call in calls.items():
            times[name].append(_milliseconds(call))
    print(f"{len(raw) // 1000} kB, 40 items, {_ROUNDS} rounds, median CPU ms (best)")
    for name, figures in times.items():
        print(f"  {name:18s} {median(figures):7.2f} ({min(figures):.2f})")


if __name__ == "__main__":
    main()
