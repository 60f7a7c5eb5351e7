"""A message as a letter: headers, text and HTML, for one recipient. Pure but for its templates; sends nothing.

The same message, version and recipient make the same Message-ID; letters about one story share a reference, so that
mail programs show them as one thread (RFC 5322, 3.6.4). RFC 3834 marks them as automatic.
"""

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import blake2b
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from alerts.render import render
from alerts.safe import clean, isolate, shorten
from daemon.messages.alert import Message

MAX_SUBJECT: Final = 200


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
        environment.filters["isolate"] = isolate
        self._html = environment.get_template("mail.html.j2")
        self._text = environment.get_template("mail.txt.j2")

    def write(self, message: Message, key: str, recipient: Address, now: float) -> EmailMessage:
        """The letter; `now` is its date. Header values are cleaned: no line end of a feed's reaches them."""
        parts = render(message)
        lines = [line for line in (parts.findings, parts.origin) if line]
        letter = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
        letter["From"] = self._sender
        letter["To"] = recipient
        letter["Subject"] = shorten(f"[{parts.desk}] {parts.severity}: {parts.headline}", MAX_SUBJECT)
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
