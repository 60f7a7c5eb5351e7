"""A message begun: what groups and summaries say alike about the article they link to. Decides nothing."""

from collections.abc import Collection

from alerts.cards import by_severity, highest
from alerts.rows import Group, Head, Summary
from daemon.messages.alert import FindingCard, Message
from daemon.messages.wire import make_id


def message_id(desk: str, receiver: str, story: str) -> str:
    return make_id("message", desk, receiver, story)


def draft(to: Group | Summary, story: str, head: Head, cards: Collection[FindingCard], now: float) -> Message:
    """The first version, due at once, without evidence; what is its sender's own is to be filled in."""
    return Message(
        id=message_id(to.desk, to.receiver, story),
        version=1,
        desk=to.desk,
        receiver=to.receiver,
        story=story,
        severity=highest(cards),
        headline=head.headline,
        url=head.url,
        language=head.language,
        source=head.source,
        published=head.published,
        found=head.found,
        time_zone=head.time_zone,
        due=now,
        evidence=(),
        findings=by_severity(cards),
    )
