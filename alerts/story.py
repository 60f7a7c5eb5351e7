"""Stories: near-duplicate copies and revisions within a desk are one. Knows nothing of receivers but whom to forget.

    article known? ─▶ its story        else bands of its sketch ─▶ stories ─ alike enough? ─▶ the most alike, or a new one

A story lives for 72 hours after it last grew; its end removes its members, bands and groups.
"""

from collections import Counter
from dataclasses import replace
from typing import Final

from alerts.finding import Finding
from alerts.rows import BAND, GROUP, MEMBER, STORY, Band, Member, Story
from daemon.messages.match import Match
from daemon.messages.wire import make_id
from daemon.sketch import ALIKE, bands, similarity
from daemon.stage.hop import Table

LIFE: Final = 72 * 3600.0
"""Seconds a story lives after it last grew."""
MOST_ARTICLES: Final = 200
"""Articles a story knows by name; further copies are recognised by their sketch only."""
MOST_SKETCHES: Final = 4
FRESH: Final = 0.7
"""A copy less alike than this to every sketch kept is kept, too: copies of copies drift."""
_MOST_PER_BAND: Final = 8
_MOST_COMPARED: Final = 16


def join_story(finding: Finding, table: Table, now: float) -> Finding:
    """The filter: the finding with its story, begun or grown by its match."""
    match = finding.match
    story = _find(match, table)
    if story is None:
        story = _begin(match, table, now)
    elif story.last != match.id:
        story = _grow(story, match, table, now)
    return replace(finding, story=story.id)


def get_story(desk: str, story: str, table: Table) -> Story:
    """A story that must be there: whatever hangs on it goes before it."""
    found = STORY.find(table, STORY.key(desk, story))
    if found is None:
        raise AssertionError(f"story {story} of desk {desk} is gone before its group")
    return found


def hang_on(desk: str, story: str, receiver: str, table: Table, now: float) -> None:
    """Remember that a group of this receiver hangs on the story."""
    found = get_story(desk, story, table)
    if receiver not in found.receivers:
        _put(replace(found, receivers=(*found.receivers, receiver)), table, now)


def end_story(story: Story, table: Table, now: float) -> None:
    """Its life is over: forget all that hangs on it. A group with something still to say keeps it until after that."""
    groups = [GROUP.key(story.desk, receiver, story.id) for receiver in story.receivers]
    waiting = [group.due for key in groups if (group := GROUP.find(table, key)) and group.due is not None]
    key = STORY.key(story.desk, story.id)
    if waiting:
        STORY.put(table, key, story, max(*waiting, now) + 1.0)
        return
    for gone in (*groups, *(MEMBER.key(story.desk, article) for article in story.articles), key):
        table.put(gone, None)
    for sketch in story.sketches:
        _forget_bands(story, sketch, table)


def _find(match: Match, table: Table) -> Story | None:
    member = MEMBER.find(table, MEMBER.key(match.desk, match.article.id))
    if member is not None:
        return STORY.find(table, STORY.key(match.desk, member.story))
    return _most_alike(match, table)


def _most_alike(match: Match, table: Table) -> Story | None:
    """Of the stories that share most bands, the most alike; the older band's story on a tie."""
    sketch, shared = match.article.sketch, Counter[str]()
    for key in _band_keys(match.desk, sketch):
        found = BAND.find(table, key)
        if found is not None:
            shared.update(found.stories)
    best, likeness = None, 0.0
    for candidate, _ in shared.most_common(_MOST_COMPARED):
        story = STORY.find(table, STORY.key(match.desk, candidate))
        alike = max((similarity(sketch, kept) for kept in story.sketches), default=0.0) if story else 0.0
        if alike >= ALIKE and alike > likeness:
            best, likeness = story, alike
    return best


def _begin(match: Match, table: Table, now: float) -> Story:
    article = match.article
    story = Story(
        id=make_id("story", match.id, f"{now:.6f}"),
        desk=match.desk,
        started=now,
        last=match.id,
        articles=(article.id,),
        languages=(article.language.tag,) if article.language.tag else (),
    )
    _add_member(story, article.id, table)
    story = _with_sketch(story, article.sketch, table)
    _put(story, table, now)
    return story


def _grow(story: Story, match: Match, table: Table, now: float) -> Story:
    article = match.article
    languages = dict.fromkeys((*story.languages, article.language.tag))
    languages.pop("", None)
    story = replace(story, last=match.id, languages=tuple(languages))
    if article.id not in story.articles:
        story = replace(story, copies=story.copies + 1)
        if len(story.articles) < MOST_ARTICLES:
            story = replace(story, articles=(*story.articles, article.id))
            _add_member(story, article.id, table)
    story = _with_sketch(story, article.sketch, table)
    _put(story, table, now)
    return story


def _put(story: Story, table: Table, now: float) -> None:
    STORY.put(table, STORY.key(story.desk, story.id), story, now + LIFE)


def _add_member(story: Story, article: str, table: Table) -> None:
    MEMBER.put(table, MEMBER.key(story.desk, article), Member(story=story.id))


def _with_sketch(story: Story, sketch: str, table: Table) -> Story:
    """The story with this sketch to find it by, if it reaches further than those it has."""
    if not sketch or len(story.sketches) >= MOST_SKETCHES:
        return story
    if any(similarity(sketch, kept) >= FRESH for kept in story.sketches):
        return story
    for key in _band_keys(story.desk, sketch):
        known = BAND.find(table, key)
        stories = [name for name in (known.stories if known else ()) if name != story.id]
        BAND.put(table, key, Band(stories=(*stories, story.id)[-_MOST_PER_BAND:]))
    return replace(story, sketches=(*story.sketches, sketch))


def _forget_bands(story: Story, sketch: str, table: Table) -> None:
    for key in _band_keys(story.desk, sketch):
        known = BAND.find(table, key)
        left = tuple(name for name in (known.stories if known else ()) if name != story.id)
        if left:
            BAND.put(table, key, Band(stories=left))
        elif known:
            table.put(key, None)


def _band_keys(desk: str, sketch: str) -> list[bytes]:
    lead = BAND.key(desk, "")
    return [lead + band for band in bands(sketch)]
