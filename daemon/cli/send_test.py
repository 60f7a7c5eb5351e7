"""`rasid send-test RECEIVER`: a real sample through every channel of a receiver, now, and what came back."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp
import click
import orjson

from alerts.channels.base import Answer
from alerts.channels.build import Outside, build_channels, channel_names
from alerts.sending import Job, SendWorker
from daemon.cli.options import CONFIG_FILE
from daemon.clock import Clock, WallClock
from daemon.config.load import load_config
from daemon.config.models import Receiver
from daemon.messages.alert import Delivery, Evidence, FindingCard, Message
from daemon.messages.article import Language, Moment, Source
from daemon.messages.match import Severity
from daemon.messages.wire import make_id


@click.command()
@click.argument("receiver")
@CONFIG_FILE
@click.option("--json", "as_json", is_flag=True, help="One JSON object a channel, also on a terminal.")
def command(receiver: str, config_file: Path, *, as_json: bool) -> int:
    """Send a real sample to RECEIVER through all its channels and say what each answered.

    Needs neither bus nor service. Exit code 0: every channel took it; 1: at least one did not; 2: no such receiver.
    """
    config = load_config(config_file, os.environ)
    chosen = next((candidate for candidate in config.receivers if candidate.name == receiver), None)
    if chosen is None:
        known = ", ".join(sorted(candidate.name for candidate in config.receivers))
        raise click.UsageError(f"there is no receiver {receiver!r} in {config_file}; there are: {known}")
    as_json = as_json or not sys.stdout.isatty()
    answers = asyncio.run(_send(chosen, config_file.parent, WallClock(), as_json=as_json))
    for channel, answer in answers.items():
        click.echo(_line(receiver, channel, answer, as_json=as_json))
    return 0 if all(answer.outcome is Delivery.DELIVERED for answer in answers.values()) else 1


async def _send(receiver: Receiver, folder: Path, clock: Clock, *, as_json: bool) -> Mapping[str, Answer]:
    """One attempt a channel, one after the other; the console prints on stderr when stdout carries JSON."""
    message = sample(receiver.name, clock.now())
    async with aiohttp.ClientSession() as session:
        outside = Outside(session, sys.stderr if as_json else sys.stdout, clock, folder)
        worker = SendWorker(build_channels([receiver], outside))
        names: Sequence[str] = channel_names([receiver])[receiver.name]
        jobs = [Job(message=message, channel=name, key=f"{message.id}.1", attempt=1) for name in names]
        return {job.channel: await worker(job) for job in jobs}


def _line(receiver: str, channel: str, answer: Answer, *, as_json: bool) -> str:
    said = {"outcome": answer.outcome.value, "reason": answer.reason.value, "detail": answer.detail}
    if as_json:
        return orjson.dumps({"receiver": receiver, "channel": channel, **said, "doubtful": answer.doubtful}).decode()
    why = " · ".join(part for part in (answer.reason.value, answer.detail) if part)
    doubt = " (it may have arrived all the same)" if answer.doubtful else ""
    return f"{receiver} {channel}: {answer.outcome.value}: {why}{doubt}"


def sample(receiver: str, now: float) -> Message:
    """A message in two scripts that says it is a sample; each has an id of its own, so that no receiver drops it as known."""
    arabic = "هذه رسالة تجريبية من راصد للتحقق من وصول التنبيهات إلى هذا المستلم."
    english = "This is a sample from Rasid that shows whether alerts reach this receiver."
    return Message(
        id=make_id("sample", receiver, repr(now)),
        version=1,
        desk="test",
        receiver=receiver,
        story=make_id("sample", receiver),
        severity=Severity.LOW,
        headline="رسالة تجريبية من راصد — a sample from Rasid",
        url="https://example.org/rasid/sample",
        language=Language(tag="ar", confidence=1.0, source="item"),
        source=Source(name="Rasid", url="https://example.org/rasid"),
        published=Moment(at=now - 60.0, how="iso8601"),
        found=now,
        time_zone="UTC",
        due=now,
        evidence=(_evidence(arabic, "راصد"), _evidence(english, "Rasid")),
        findings=(FindingCard(rule="sample", name="sample", severity=Severity.LOW),),
        copies=2,
        languages=("ar", "en"),
        sample=True,
    )


def _evidence(text: str, hit: str) -> Evidence:
    start = text.index(hit)
    return Evidence(text=text, marks=((start, start + len(hit)),))
