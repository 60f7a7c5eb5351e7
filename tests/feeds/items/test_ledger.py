"""The law of hop 1: every item served is published once, every edit seen is one revision, whatever its feed and we go through.

A feed as publishers keep them (new, edited, retitled, removed, reordered, brought back, ids that change, ids that are shared)
is served as RSS, read by the real parser, and polled by a poller that dies before its commits. What was published must be,
item by item, the versions that committed polls have seen.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from daemon.feeds.elsewhere.pages import Way
from daemon.feeds.jobs import Outcome, PageResult, PollOutcome, PollResult
from daemon.feeds.pace.schedule import Answer
from daemon.feeds.parse.feed import parse_feed
from daemon.feeds.polling import window_of
from daemon.feeds.rows import ITEM
from daemon.net.answers import FetchOutcome
from tests.feeds.desk import DAY, Desk, desk, good
from tests.servers.feeds import RssItem, rss

_FEW: Final = 5
"""Items that a feed has when its ids begin to change: with fewer it cannot be told."""

IN_VAIN: Final = (FetchOutcome.TRUNCATED, FetchOutcome.TIMEOUT, PollOutcome.HTML, FetchOutcome.NOT_MODIFIED)


@dataclass(frozen=True, slots=True)
class Story:
    """An article of the feed: its number, the number in its guid (a twin's), and its versions of title and text."""

    number: int
    guid: int
    title: int = 0
    text: int = 0

    def shown(self, scheme: str, churn: str) -> RssItem:
        return RssItem(
            guid=f"{churn}{self.number}" if churn else f"{scheme}://e.example/{self.guid}",
            link=f"https://e.example/{self.number}",
            title=f"Story {self.number} title {self.title}",
            description=f"Story {self.number} text {self.text}",
            published="Mon, 05 Feb 2024 14:03:22 GMT",
        )


class Ledger(RuleBasedStateMachine):
    """A feed and its poller. `seen`: by number, the versions that committed polls have seen, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.made: Desk = desk()
        self.feed: list[Story] = []
        self.away: list[Story] = []
        self.missed: list[Story] = []
        self.seen: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.count = 0
        self.polls = 0
        self.scheme = "http"
        self.churns = False

    @rule(count=st.integers(1, 4), at_end=st.booleans())
    def publish(self, count: int, *, at_end: bool) -> None:
        """New articles, before or behind the others."""
        new = [Story(self.count + each, self.count + each) for each in range(count)]
        self.count += count
        self.feed = [*self.feed, *new] if at_end else [*new, *self.feed]

    @precondition(lambda self: self.feed)
    @rule(data=st.data(), part=st.sampled_from(["title", "text"]))
    def edit(self, data: st.DataObject, part: str) -> None:
        at = data.draw(st.integers(0, len(self.feed) - 1))
        self.feed[at] = replace(self.feed[at], **{part: getattr(self.feed[at], part) + 1})

    @precondition(lambda self: self.feed)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.away.append(self.feed.pop(data.draw(st.integers(0, len(self.feed) - 1))))

    @precondition(lambda self: self.away)
    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        self.feed.append(self.away.pop(data.draw(st.integers(0, len(self.away) - 1))))

    @precondition(lambda self: len(self.feed) > 1)
    @rule(data=st.data())
    def reorder(self, data: st.DataObject) -> None:
        self.feed = data.draw(st.permutations(self.feed))

    @rule()
    def move_to_https(self) -> None:
        """All guids change, and nothing else does."""
        self.scheme = "https" if self.scheme == "http" else "http"

    @precondition(lambda self: self.feed and not self.churns)
    @rule(data=st.data(), crash=st.booleans())
    def share_a_guid(self, data: st.DataObject, *, crash: bool) -> None:
        """A new article gets an older one's guid, and both are seen together."""
        older = self.feed[data.draw(st.integers(0, len(self.feed) - 1))]
        self.feed.insert(data.draw(st.integers(0, len(self.feed))), Story(self.count, older.guid))
        self.count += 1
        self.poll(crash=crash)
        self.poll(crash=False)

    @precondition(lambda self: len(self.feed) >= _FEW and not self.churns)
    @rule(crash=st.booleans())
    def lose_ids(self, *, crash: bool) -> None:
        """From now on each document has other guids; the first of these has nothing else that is new."""
        self.poll(crash=False)
        self.churns = True
        self.poll(crash=crash)
        self.poll(crash=False)

    @rule(crash=st.booleans())
    def poll(self, *, crash: bool) -> None:
        """The whole document; `crash`: the poller dies before the step commits."""
        self._poll(self.feed, crash=crash, partial=False)

    @precondition(lambda self: self.feed and not self.churns)
    @rule(data=st.data(), crash=st.booleans())
    def poll_in_part(self, data: st.DataObject, *, crash: bool) -> None:
        """A 226: only some of the articles, with all that share their guids."""
        guids = {story.guid for story in data.draw(st.lists(st.sampled_from(self.feed), max_size=3))}
        self._poll([story for story in self.feed if story.guid in guids], crash=crash, partial=True)

    @rule(crash=st.booleans())
    def poll_empty(self, *, crash: bool) -> None:
        """The document without any items."""
        self._poll([], crash=crash, partial=False)

    @rule(crash=st.booleans(), outcome=st.sampled_from(IN_VAIN))
    def poll_in_vain(self, *, crash: bool, outcome: Outcome) -> None:
        """A poll that brings no document."""
        answer = Answer.GOOD if outcome is FetchOutcome.NOT_MODIFIED else Answer.FAILED
        url = self.made.feed().url
        result = PollResult(url=url, outcome=outcome, answer=answer, fetched_at=self.made.now)
        self.made.done(result, commit=not crash)

    @precondition(lambda self: self.feed)
    @rule(count=st.integers(1, 3), crash=st.booleans())
    def roll_over(self, count: int, *, crash: bool) -> None:
        """All that was shown has gone, and some articles have come and gone unseen: a gap, where anything was known before."""
        self.missed += [Story(self.count + each, self.count + each) for each in range(count)]
        self.count += count
        self.away += self.feed
        self.feed = []
        self.publish(2, at_end=True)
        self.poll(crash=crash)
        self.poll(crash=False)

    @precondition(lambda self: self.made.feed().catching is not None and self.made.row().wake != self.made.feed().next_at)
    @rule(data=st.data(), crash=st.booleans())
    def look_back(self, data: st.DataObject, *, crash: bool) -> None:
        """An older page with some of what was missed and of what is known; what a known article says there is not news."""
        page = data.draw(st.lists(st.sampled_from([*self.missed, *self.away, *self.feed]), unique=True, max_size=5))
        job = self.made.page_job()
        parsed = parse_feed(self._body(page), url=job.address, now=self.made.now)
        result = PageResult(url=job.url, page=job.page, outcome=FetchOutcome.OK, fetched_at=self.made.now, items=parsed.items)
        self.made.done(result, commit=not crash)
        for story in () if crash or job.page.way is Way.SITEMAP else page:
            self.seen[story.number] = self.seen.get(story.number) or [(story.title, story.text)]

    @precondition(lambda self: not self.away and {story.number for story in self.feed} == set(range(self.count)))
    @rule()
    def wait_a_month(self) -> None:
        """All that ever was is in the window, which stands for long: nothing is forgotten."""
        self.poll(crash=False)
        self.made.pass_time(self.made.now + 31 * DAY)

    @invariant()
    def everything_once(self) -> None:
        """What was published of each article is what was seen of it: first as new, then as edits."""
        told = defaultdict[int, list[tuple[int, int]]](list)
        for raw in self.made.published:
            _, number, _, title = raw.item.title.split()
            assert bool(raw.edited) == bool(told[int(number)]), raw
            told[int(number)].append((int(title), int(raw.item.summary.split()[3])))
        assert told == self.seen

    @invariant()
    def rows_are_counted(self) -> None:
        """The feed's row knows how many rows its items have."""
        assert self.made.feed().kept == sum(1 for _ in self.made.rows.scan(ITEM))

    def _body(self, stories: Sequence[Story]) -> bytes:
        self.polls += 1
        churn = f"poll{self.polls}-" if self.churns else ""
        return rss([story.shown(self.scheme, churn) for story in stories])

    def _poll(self, stories: Sequence[Story], *, crash: bool, partial: bool) -> None:
        self.made.now += 300.0
        body = self._body(stories)
        job = self.made.job()
        parsed = parse_feed(body, url=job.url, known=job.known, now=self.made.now)
        window = replace(window_of(parsed, job.known), partial=partial)
        self.made.done(replace(good(self.made.now), window=window, deleted=parsed.deleted), commit=not crash)
        for story in () if crash else stories:
            versions = self.seen[story.number]
            if not versions or versions[-1] != (story.title, story.text):
                versions.append((story.title, story.text))


Ledger.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None, print_blob=True)


class TestLedger(Ledger.TestCase):  # type: ignore[misc, valid-type]  # hypothesis makes it
    """Feeds 23 to 25: distinct items published = distinct items served, repeats 0, edits as revisions; 150 histories."""
