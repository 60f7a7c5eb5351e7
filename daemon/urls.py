"""URLs of articles and feeds: the form that is published, the key that tells copies apart, and the site they belong to.

    raw ─ repair ─ unwrap redirectors and AMP caches ─ w3lib + IDNA ─ drop trackers ─▶ canonical ─ fold ─▶ match key

The rules are feeds.md, “URLs”. Nothing fetches, and nothing raises on odd input: what cannot be read comes back as it came.
"""

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

import idna
from publicsuffixlist import PublicSuffixList
from w3lib.url import canonicalize_url

FILE_SITE: Final = "file"
"""The site of all `file:` addresses."""

MAX_LENGTH: Final = 8192
"""Longer addresses are not usable."""

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_TRACKERS: Final = frozenset({
    "fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "ysclid", "twclid", "ttclid", "igshid", "igsh",
    "mc_cid", "mc_eid", "mkt_tok", "_ga", "_gl", "xtor", "ocid", "cmp", "cmpid", "ncid", "smid", "phpsessid", "jsessionid",
})  # fmt: skip
_TRACKER_PREFIXES: Final = ("utm_", "at_", "ns_")
_TRACKER_PAIRS: Final = frozenset({("ref", "rss"), ("source", "rss"), ("from", "rss")})
_AMP_PAIRS: Final = frozenset({("amp", ""), ("amp", "1"), ("amp", "true"), ("outputtype", "amp")})
_REDIRECTORS: Final = {
    ("google", "/url"): ("url", "q"),
    ("facebook", "/l.php"): ("u",),
}
_HOPS: Final = 3
_FOLDED_LABELS: Final = frozenset({"www", "m", "amp"})
_AMP_ENTITY: Final = re.compile(r"&(?:amp|#0*38|#x0*26);", re.IGNORECASE)
_UNPRINTED: Final = re.compile(r"[\x00-\x1f\x7f]")
_GOOGLE: Final = re.compile(r"(?:www\.)?google\.(?:[a-z]{2,3}|com?\.[a-z]{2})")
_AMP_CACHE: Final = re.compile(r"/(?:amp|[cvr]|wp)/(?:(s)/)?(.+)", re.DOTALL)
_INDEX: Final = re.compile(r"/index\.(?:html?|php|aspx?|jsp)$", re.IGNORECASE)
_AMP_PATH: Final = re.compile(r"/amp(?:\.html)?$", re.IGNORECASE)


def is_usable(url: str) -> bool:
    """Whether it can name an article or be asked for: http or https, with a host, of a sensible length."""
    parts = _split(url)
    return parts is not None and parts.scheme in _DEFAULT_PORTS and bool(parts.hostname)


def without_credentials(url: str) -> str:
    """The address without the name and password that may stand before its host; else as it came."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454) of a usable address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


@lru_cache(maxsize=2048)
def canonical_url(url: str) -> str:
    """The address as published: trackers, fragment (but `#!`), credentials and default port dropped, `&amp;` repaired."""
    cleaned = _cleaned(url)
    for _ in range(_HOPS):
        parts = _split(cleaned)
        if parts is None or parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            return cleaned
        inner = _unwrapped(parts)
        if not inner:
            break
        cleaned = inner
    return _canonical(cleaned)


def match_key(url: str) -> str:
    """What two addresses of one article have in common; never shown. Of an unusable address: the address itself."""
    canonical = canonical_url(url)
    parts = _split(canonical)
    if parts is None or parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return canonical
    host = _folded_host(parts.hostname)
    port = f":{parts.port}" if parts.port else ""
    path = _INDEX.sub("", re.sub("/{2,}", "/", parts.path).rstrip("/"))
    path = _AMP_PATH.sub("", path).rstrip("/")
    query = "&".join(piece for piece in parts.query.split("&") if piece and _pair(piece) not in _AMP_PAIRS)
    return host + port + path + (f"?{query}" if query else "") + (f"#{parts.fragment}" if parts.fragment else "")


def site_of(url: str) -> str:
    """The registrable domain, in ASCII; the address itself for an IP, `file` for `file:`, empty where there is none."""
    if url.strip().lower().startswith("file:"):
        return FILE_SITE
    parts = _split(url)
    return _registrable(parts.hostname) if parts and parts.hostname else ""


def _cleaned(url: str) -> str:
    """Without what no address holds: white space round it, control characters, lone surrogates."""
    printed = _UNPRINTED.sub("", url.strip())
    return printed if printed.isascii() else printed.encode("utf-8", "replace").decode("utf-8")


def _split(url: str) -> SplitResult | None:
    """The parts, with a port that can be read; None when it is no address."""
    if len(url) > MAX_LENGTH:
        return None
    try:
        parts = urlsplit(_cleaned(url))
        _ = parts.port, parts.hostname
    except ValueError:
        return None
    return parts


def _unwrapped(parts: SplitResult) -> str:
    """The address inside a redirector's or an AMP cache's; empty when it is neither."""
    host = (parts.hostname or "").removeprefix("www.")
    google = bool(_GOOGLE.fullmatch(host))
    cached = _AMP_CACHE.fullmatch(parts.path) if google or host.endswith(".cdn.ampproject.org") else None
    if cached and not (google and not parts.path.startswith("/amp/")):
        inner = f"http{cached[1] or ''}://{cached[2]}" + (f"?{parts.query}" if parts.query else "")
        return inner if is_usable(inner) else ""
    kind = "google" if google else "facebook" if host in {"l.facebook.com", "lm.facebook.com"} else ""
    pairs = dict(parse_qsl(parts.query))
    targets = (pairs.get(name, "") for name in _REDIRECTORS.get((kind, parts.path), ()))
    return next((target for target in targets if is_usable(target)), "")


def _canonical(url: str) -> str:
    parts = urlsplit(_AMP_ENTITY.sub("&", url))
    fragment = parts.fragment if parts.fragment.startswith("!") else ""
    query = "&".join(piece for piece in parts.query.split("&") if piece and not _is_tracker(piece))
    rebuilt = urlunsplit((parts.scheme, _netloc(parts), parts.path or "/", query, fragment))
    try:
        return str(canonicalize_url(rebuilt, keep_fragments=True))
    except ValueError:
        return rebuilt


def _netloc(parts: SplitResult) -> str:
    """Host and port: no credentials, no default port, IDNA."""
    host = _ascii_host(parts.hostname or "")
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return (f"[{host}]" if ":" in host else host) + port


def _pair(piece: str) -> tuple[str, str]:
    name, _, value = piece.partition("=")
    return name.lower(), value.lower()


def _is_tracker(piece: str) -> bool:
    pair = _pair(piece)
    return pair[0] in _TRACKERS or pair[0].startswith(_TRACKER_PREFIXES) or pair in _TRACKER_PAIRS


@lru_cache(maxsize=4096)
def _ascii_host(host: str) -> str:
    """The host as the name system wants it; one that IDNA refuses stays, in lower case."""
    lowered = host.lower().rstrip(".")
    if lowered.isascii():
        return lowered
    try:
        return idna.encode(lowered, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return lowered


def _folded_host(host: str) -> str:
    """Without `www.`, `m.`, `amp.` in front, as long as a registrable domain remains."""
    while True:
        label, _, rest = host.partition(".")
        if label not in _FOLDED_LABELS or not rest or _registrable(host) == host:
            return host
        host = rest


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    """The list shipped with the pinned package: read once, a few hundred milliseconds are not spent on import."""
    return PublicSuffixList()


@lru_cache(maxsize=8192)
def _registrable(hostname: str) -> str:
    host = _ascii_host(hostname)
    try:
        return ip_address(host.partition("%")[0]).compressed
    except ValueError:
        pass
    try:
        return str(_suffixes().privatesuffix(host) or host)
    except (ValueError, UnicodeError):
        return host
