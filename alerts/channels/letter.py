"""A message as a letter: headers, text and HTML, for one recipient. Pure but for its templates; sends nothing.

The same message, version and recipient make the same Message-ID; letters about one story share a reference, so that
mail programs show them as one thread (RFC 5322, 3.6.4). RFC 3834 marks them as automatic.
"""

from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from hashlib import blake2b
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from alerts.render import Rendered, and_more, plain_line, render
from alerts.safe import clean, in_line, isolate, shorten
from daemon.messages.alert import Message

MAX_SUBJECT: Final = 200


class _Policy(EmailPolicy):
    """Folds subjects with the standard library's older encoder: the newer one loses spaces at folds (Python 3.11, 3.12)."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name != "Subject" or value.isascii():
            return super().fold_binary(name, value)
        folded = Header(str(value), "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {folded}{self.linesep}".encode("ascii")


class Letters:
    """Writes letters from `sender` on the templates that stand beside this file."""

    def __init__(self, sender: Address) -> None:
        self._sender = sender
        environment = Environment(
            loader=PackageLoader("alerts", "channels"),
            autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"isolate": isolate, "in_line": in_line, "plain_line": plain_line, "and_more": and_more}
        self._html = environment.get_template("mail.html.j2")
        self._text = environment.get_template("mail.txt.j2")

    def write(self, message: Message, key: str, recipient: Address, now: float) -> EmailMessage:
        """The letter; `now` is its date. Header values are cleaned: no line end of a feed's reaches them."""
        parts = render(message)
        lines = [line for line in (parts.findings, parts.origin) if line]
        letter = EmailMessage(policy=_Policy(linesep="\r\n", cte_type="7bit"))
        letter["From"] = self._sender
        letter["To"] = recipient
        letter["Subject"] = _subject(parts)
        letter["Date"] = datetime.fromtimestamp(now, UTC)
        letter["Message-ID"] = self._id(key, recipient.addr_spec)
        if message.story:
            letter["References"] = self._id("story", message.desk, message.story)
        letter["Auto-Submitted"] = "auto-generated"
        letter["X-Auto-Response-Suppress"] = "All"
        letter.set_content(self._text.render(parts=parts, lines=lines))
        language = clean(message.language.tag)
        letter.add_alternative(self._html.render(parts=parts, lines=lines, language=language), subtype="html")
        return letter

    def _id(self, *parts: str) -> str:
        name = blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return f"<{name}@{self._sender.domain}>"


def _subject(parts: Rendered) -> str:
    """A feed's `=?` is broken up: it would be read as an encoded word, which can hold a line end."""
    text = f"[{parts.desk}] {parts.severity}: {parts.headline}".replace("=?", "= ?")
    return shorten(text, MAX_SUBJECT)
