"""What must hold of a world that has come to rest, whatever was killed when. Each law gives what breaks it, in words.

taken     each version of an item that a feed showed is on the topic at most once, in order, and the last one is
hops      what a hop put out is what one uncrashed life makes of the same records: the same messages, and the alerter's at
          the same times; in = outcomes + dead letters
findings  each ends in exactly one outcome; who is watched and was named is told or joins
messages  each version has one end; repeats at the edge are at most the doubtful attempts on record
doubts    an answer that a step of the sender knew is on record as it was given, unless the message was replaced or given up;
          interrupted are at most the attempts of which no step heard an answer
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from alerts.channels.base import SendReason
from daemon.bus.base import Record
from daemon.bus.topics import ALERTS, ARTICLES, DEADLETTER, MATCHES, OUTBOX, RAW, TOPICS
from daemon.messages import wire
from daemon.messages.alert import Delivery, Message, Outcome, Sent, Told
from daemon.messages.article import RawArticle
from daemon.messages.dead import DeadLetter
from daemon.messages.match import Match
from tests.simulation.answers import Key
from tests.simulation.outside import CHANNELS
from tests.simulation.press import DEADLY, WATCHED
from tests.simulation.replay import Replay
from tests.simulation.world import World, version_of

_LATER: Final = 400 * 365 * 86400.0
_SHOWN: Final = 5
DOUBTFUL: Final = frozenset({SendReason.INTERRUPTED, SendReason.ANSWER_LOST})
"""The receiver may have the message, and nobody knows."""


def taken(world: World) -> Iterator[str]:
    versions: dict[tuple[str, str], list[tuple[int, bool]]] = defaultdict(list)
    for raw in world.messages(RAW):
        if isinstance(raw, RawArticle):
            versions[raw.feed.id, raw.item.link].append((version_of(raw), bool(raw.edited)))
    for shown in world.press.written:
        found = versions.pop(shown.name, [])
        if [number for number, _ in found] != sorted({number for number, _ in found}):
            yield f"{shown.name} was taken in versions {found}"
        if not found or found[-1][0] != shown.version:
            yield f"{shown.name} is lost in version {shown.version}: {found}"
        if [edited for _, edited in found] != [number > 0 for number in range(len(found))]:
            yield f"{shown.name} is new more than once, or never: {found}"
    yield from (f"{name} was never shown" for name in versions)


async def hops(world: World) -> list[str]:
    """Of the hops that are driven by records alone. Rows expire by the wall, so a jump of it may part the two lives."""
    wrong: list[str] = []
    steady = [MATCHES] if world.kind.steady else []
    for topic in [ARTICLES, *([RAW] if not world.kind.jumps else []), *steady]:
        lived, replayed = await _both_lives(world, topic)
        wrong += [f"{TOPICS[topic].group} put out and would not: {name}" for name in _brief(lived - replayed)]
        wrong += [f"{TOPICS[topic].group} would put out and did not: {name}" for name in _brief(replayed - lived)]
    return wrong


async def _both_lives(
    world: World, topic: str
) -> tuple[Counter[tuple[str, str, int, bytes]], Counter[tuple[str, str, int, bytes]]]:
    """What came of a topic in the world, and what would have without crashes: each lane's records in their order."""
    hop = world.sense.hops()[topic]
    replayed: list[Record] = []
    for partition, log in enumerate(world.store.logs(topic)):
        replay = Replay(hop, partition)
        await replay.take([record for record in log.records if not _is_deadly(record)])
        if topic == MATCHES:
            replay.until(_LATER)
        replayed += replay.out
    outputs = {RAW: (ARTICLES,), ARTICLES: (MATCHES,), MATCHES: (OUTBOX, ALERTS)}[topic]
    lived = [record for output in outputs for record in world.records(output) if _is_decision(record)]
    ordered = topic != ARTICLES  # two partitions of the matcher meet in one lane
    return _numbered(lived, ordered=ordered), _numbered(filter(_is_decision, replayed), ordered=ordered)


def _is_decision(record: Record) -> bool:
    return record.topic != DEADLETTER and b'"kind":"sent"' not in (record.value or b"")[:30] and record.key != b"poison"


def _numbered(records: Iterable[Record], *, ordered: bool) -> Counter[tuple[str, str, int, bytes]]:
    place = Counter[tuple[str, str]]()
    numbered = Counter[tuple[str, str, int, bytes]]()
    for record in records:
        lane = (record.topic, f"{record.lane} of {_origin(record)}")
        place[lane] += ordered
        numbered[(*lane, place[lane], record.value or b"")] += 1
    return numbered


def _origin(record: Record) -> str:
    """Messages of several desks meet in a receiver's lane."""
    message = wire.decode(record.value)
    return message.desk if isinstance(message, Message) else record.lane


def _is_deadly(record: Record) -> bool:
    return record.topic == RAW and f"-{DEADLY}".encode() in (record.value or b"")


def dead_letters(world: World) -> Iterator[str]:
    letters = [letter for letter in world.messages(DEADLETTER) if isinstance(letter, DeadLetter)]
    places = Counter((letter.topic, letter.partition, letter.offset) for letter in letters)
    yield from (f"{place} was set aside {count} times" for place, count in places.items() if count > 1)
    innocent = [letter for letter in letters if not _poisoned(world, letter)]
    yield from (f"{letter.topic} {letter.offset} was set aside as {letter.reason}: {letter.error}" for letter in innocent)
    guilty = world.poisoned + sum(_is_deadly(record) for record in world.records(RAW))
    if len(letters) - len(innocent) != guilty:
        yield f"of {guilty} poisoned or deadly records {len(letters) - len(innocent)} were set aside"


def _poisoned(world: World, letter: DeadLetter) -> bool:
    record = world.store.logs(letter.topic)[letter.partition].records[letter.offset]
    return record.key == b"poison" or (_is_deadly(record) and letter.reason == "killer")


def findings(world: World) -> Iterator[str]:
    expected = Counter[tuple[str, str, str]]()
    for match in world.messages(MATCHES):
        if isinstance(match, Match):
            hit = {(actor.id, "") for actor in match.actors} | {("", rule.id) for rule in match.rules}
            missed = {(miss.actor or "", miss.rule or "", miss.reason) for miss in match.near_misses}
            expected.update((match.id, actor, rule) for actor, rule in hit)
            expected.update((match.id, actor, rule) for actor, rule, _ in missed if (actor, rule) not in hit)
    entries = [entry for entry in world.messages(ALERTS) if isinstance(entry, Outcome)]
    ended = Counter((entry.match, entry.actor, entry.rule) for entry in entries if entry.outcome is not Told.HELD)
    yield from (
        f"finding {name} ended {ended[name]} times of {count}" for name, count in expected.items() if ended[name] != count
    )
    yield from (f"finding {name} was never found" for name in ended - expected)
    told = {
        (entry.desk, entry.url, entry.actor) for entry in entries if entry.outcome in (Told.TOLD, Told.JOINED) and entry.actor
    }
    feeds = Counter(shown.link for shown in world.press.written)
    alone = [
        shown for shown in world.press.written if feeds[shown.link] == 1 and DEADLY not in shown.link
    ]  # another feed's text of an address is not read
    for shown in alone:
        for desk, names in WATCHED.items():
            for name in set(shown.actors) & set(names):
                if (desk, shown.link, name.lower().replace(" ", "-")) not in told:
                    yield f"{name} in {shown.name} is not told to {desk}"


def messages(world: World) -> Iterator[str]:
    wanted = {
        (told.receiver, channel, told.id, told.version)
        for told in world.messages(OUTBOX)
        if isinstance(told, Message)
        for channel in CHANNELS[told.receiver]
    }
    attempts = [entry for entry in world.messages(ALERTS) if isinstance(entry, Sent)]
    ended, doubtful = Counter[tuple[str, str, str, int]](), Counter[tuple[str, str, str]]()
    for entry in attempts:
        name = (entry.receiver, entry.channel, entry.message, entry.version)
        ended[name] += entry.outcome is not Delivery.RETRY
        key = (entry.receiver, entry.channel, f"{entry.message}.{entry.version}")
        doubtful[key] += entry.reason in DOUBTFUL
        if entry.outcome is Delivery.DELIVERED and not world.outside.took[key]:
            yield f"message {name} is on record as delivered, and nobody has it"
        if entry.outcome is Delivery.DEAD and entry.reason == "gave_up" and not (world.jumps or world.kind.outages):
            yield f"message {name} was given up"
    yield from (
        f"message {name} has {ended[name]} ends" for name in sorted(wanted | set(ended)) if ended[name] != (name in wanted)
    )
    for key, count in world.outside.took.items():
        if count > 1 + doubtful[key]:
            yield f"message {key} was taken {count} times, {doubtful[key]} attempts were doubtful"


def doubts(world: World) -> Iterator[str]:
    answers = world.outside.answers
    record = Counter(
        ((entry.receiver, entry.channel, f"{entry.message}.{entry.version}"), entry.reason)
        for entry in world.messages(ALERTS)
        if isinstance(entry, Sent)
    )
    unsaid, heard = Counter[Key](), Counter[Key]()
    for (key, reason), count in answers.heard.items():
        heard[key] += count
        unsaid[key] += max(0, count - record[key, reason])
        if reason == SendReason.ANSWER_LOST and record[key, reason] > count:
            yield f"of message {key} {count} answers were lost, {record[key, reason]} are on record"
    for key in {key for key, _ in record}:
        ends = record[key, SendReason.NEWER_VERSION] + record[key, SendReason.GAVE_UP]
        if unsaid[key] > ends:
            yield f"of message {key} {unsaid[key]} answers were heard and are not on record"
        interrupted, unheard = record[key, SendReason.INTERRUPTED], answers.begun[key] - heard[key]
        if interrupted > unheard + answers.unsure:
            yield f"of message {key} {interrupted} attempts are on record as interrupted, {unheard} were unheard"


def conduct(world: World) -> Iterator[str]:
    """What processes did on their way."""
    yield from (f"{process.name}: {what}" for process in world.processes for what in process.broken)
    zombies = {process.name for process in world.processes if process.missed}
    yield from (f"{name} had two requests at once at {place}" for name, place in world.outside.crowded if name not in zombies)


_LAWS: Final[tuple[Callable[[World], Iterator[str]], ...]] = (conduct, taken, dead_letters, findings, messages, doubts)


async def judge(world: World) -> list[str]:
    """All that is wrong, a few of each kind."""
    wrong: list[str] = []
    for law in _LAWS:
        wrong += list(law(world))[:_SHOWN]
    return wrong + (await hops(world))[:_SHOWN]


def _brief(counted: Counter[tuple[str, str, int, bytes]]) -> list[Any]:
    return [(topic, lane, number, value[:300]) for topic, lane, number, value in list(counted)[:_SHOWN]]
