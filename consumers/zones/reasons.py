"""Why a block stands in its zone. The words are in records and in `rasid extract`: they never change their meaning."""

from enum import StrEnum


class BlockReason(StrEnum):
    FEED = "feed"
    """The feed gave it as this part: title or summary."""
    TEXT = "text"
    """The article's own text: nothing speaks against it."""
    DATELINE = "dateline"
    """Own text that opens with when it was published. It stays: the sentence often goes on behind the date."""
    RELATED = "related"
    COMMENTS = "comments"
    TAGS = "tags"
    SOURCE = "source"
    SHARE = "share"
    PLAYER = "player"
    COOKIES = "cookies"
    SYNDICATION = "syndication"
    LINKS = "links"
    """Three links or more in a row."""
    HEADLINES = "headlines"
    """A list of three headlines or more, behind the last sentence."""
    MARKUP = "markup"
    """HTML says it stands beside the article (nav, aside, footer, form), or hides it."""
