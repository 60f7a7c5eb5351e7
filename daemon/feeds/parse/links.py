"""Relative addresses made absolute (feeds 21). Never raises: what cannot be joined stays as it came."""

import re
from typing import Final
from urllib.parse import urljoin

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_WHITE: Final = re.compile(r"[\t\n\r]")
_REFERENCE: Final = re.compile(r"(\b(?:href|src)\s*=\s*)([\"'])\s*([^\"'<>]{1,2000}?)\s*\2", re.IGNORECASE)


def absolute(link: str, base: str) -> str:
    """The address that `link` means on a page at `base`; `base` may be empty."""
    link = _WHITE.sub("", link).strip()
    if not link or _SCHEME.match(link):
        return link
    if not base:
        return f"https:{link}" if link.startswith("//") else link
    try:
        return urljoin(base, link)
    except ValueError:
        return link


def absolute_html(html: str, base: str) -> str:
    """The HTML with its relative `href` and `src` made absolute."""
    if not base or "=" not in html:
        return html
    return _REFERENCE.sub(lambda found: f"{found[1]}{found[2]}{_unless_local(found[3], base)}{found[2]}", html)


def is_address(text: str) -> bool:
    """Whether a text is an http(s) address, not merely looks like a name."""
    return text.lower().startswith(("http://", "https://")) and " " not in text


def _unless_local(link: str, base: str) -> str:
    return link if link.startswith("#") else absolute(link, base)
