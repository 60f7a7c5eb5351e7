"""The mail channel, against a real SMTP server: TLS in its three forms, logins, refusals, lost answers, letters."""

from collections.abc import AsyncIterator, Callable
from email.headerregistry import Address
from html.parser import HTMLParser

import pytest
from pydantic import SecretStr

from alerts.channels.base import Answer, SendReason
from alerts.channels.letter import Letters
from alerts.channels.mail import Mail
from daemon.clock import WallClock
from daemon.config.models import Smtp
from daemon.config.receivers import read_address
from daemon.messages.alert import Delivery, Message
from tests.alerts.samples import DRAWN, HOSTILE, LISTED, hostile, hostile_summary, message, summary
from tests.servers.certificates import Authority
from tests.servers.smtp import DROP, MailServer

PASSWORD = "canary-9d1c"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


def mail(server: MailServer, authority: Authority, security: str = "none", login: tuple[str, str] = ("", "")) -> Mail:
    smtp = Smtp.model_validate({"host": "127.0.0.1", "port": server.port, "security": security, "username": login[0]})
    smtp = smtp.model_copy(update={"password": SecretStr(login[1])})
    letters = Letters(read_address("Rasid <rasid@example.org>"))
    return Mail(Address(addr_spec="desk@example.org"), letters, smtp, WallClock(), authority.client())


async def send(server: MailServer, sent: Message | None = None) -> Answer:
    return await mail(server, Authority()).send(sent or message(), "m1.1")


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
async def test_delivers_in_every_security(authority: Authority, security: str) -> None:
    """A letter arrives over STARTTLS, TLS and plain TCP, after a login where one is asked for."""
    tls = None if security == "none" else authority.server()
    async with MailServer(tls, implicit=security == "tls", login=("rasid", PASSWORD)) as server:
        answer = await mail(server, authority, security, ("rasid", PASSWORD)).send(message(), "m1.1")
        (recipient, letter) = server.letters[0]
    assert answer.outcome is Delivery.DELIVERED
    assert recipient == "desk@example.org"
    assert letter["Subject"] == "[iraq] high: وزير الدفاع يلتقي نظيره الأمريكي"
    assert letter["From"] == "Rasid <rasid@example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"


async def test_text_and_html_say_the_same(server: MailServer) -> None:
    """Both parts carry headline, link, quote, findings and origin; the hit is marked in each."""
    await send(server)
    letter = server.letters[0][1]
    text = letter.get_body(("plain",))
    html = letter.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == DRAWN
    assert 'href="https://news.example.org/a?b=1&amp;c=2"' in html.get_content()
    assert '">ثابت العباسي</mark>' in html.get_content()
    assert html.get_content().count('dir="auto"') == 5


async def test_summary_lists_its_stories(server: MailServer) -> None:
    """Text has a story a line, HTML a linked headline in its own direction with the rest isolated."""
    await send(server, summary())
    text, html = (server.letters[0][1].get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == LISTED
    link = '🔴 <a href="https://news.example.org/a?b=1&amp;c=2" rel="noreferrer">وزير الدفاع يلتقي نظيره الأمريكي</a>'
    about = " · <bdi>Thabet al-Abbasi, rule iraq-us-defence</bdi> · <bdi>INA</bdi> · <bdi>ar</bdi>"
    assert f'<p dir="auto" style="margin:0 0 8px">{link}{about}</p>' in html.get_content().splitlines()
    assert "and 7 more</p>" in html.get_content()


async def test_ids_are_stable_and_stories_thread(server: MailServer) -> None:
    """A repeat has the same Message-ID, another version another; both refer to their story."""
    box = mail(server, Authority())
    await box.send(message(), "m1.1")
    await box.send(message(), "m1.1")
    await box.send(message(version=2), "m1.2")
    first, again, newer = (letter for _, letter in server.letters)
    assert first["Message-ID"] == again["Message-ID"] != newer["Message-ID"]
    assert first["References"] == newer["References"]


@pytest.mark.parametrize(
    ("stage", "said", "outcome", "reason", "doubtful"),
    [
        ("RCPT", "450 greylisted", Delivery.RETRY, SendReason.SERVER_ERROR, False),
        ("RCPT", "550 no such user", Delivery.DEAD, SendReason.REFUSED, False),
        ("DATA", "451 try later", Delivery.RETRY, SendReason.SERVER_ERROR, False),
        ("DATA", "554 not wanted", Delivery.DEAD, SendReason.REFUSED, False),
        ("DATA", DROP, Delivery.RETRY, SendReason.ANSWER_LOST, True),
    ],
)
async def test_every_answer_is_classified(
    server: MailServer, stage: str, said: str, outcome: Delivery, reason: SendReason, *, doubtful: bool
) -> None:
    """4xx is tried again, 5xx is dead, and a connection lost after DATA leaves a doubt."""
    server.answers[stage].append(said)
    answer = await send(server)
    assert (answer.outcome, answer.reason, answer.doubtful) == (outcome, reason, doubtful)


async def test_a_wrong_password_is_tried_again_and_not_told(authority: Authority) -> None:
    """A refused login is the account's trouble, not the message's; neither password nor the server's echo is told."""
    async with MailServer(authority.server(), login=("rasid", "right")) as server:
        answer = await mail(server, authority, "starttls", ("rasid", PASSWORD)).send(message(), "k")
    assert (answer.outcome, answer.reason) == (Delivery.RETRY, SendReason.LOGIN)
    assert PASSWORD not in repr(answer)


async def test_never_speaks_plainly_when_tls_was_asked_for(server: MailServer, authority: Authority) -> None:
    """A server without STARTTLS, or with a certificate we do not trust, gets no letter."""
    plain = await mail(server, authority, "starttls").send(message(), "k")
    async with MailServer(Authority().server()) as foreign:
        untrusted = await mail(foreign, authority, "starttls").send(message(), "k")
    assert (plain.outcome, untrusted.outcome) == (Delivery.RETRY, Delivery.RETRY)
    assert untrusted.reason is SendReason.TLS
    assert "certificate verify failed" in untrusted.detail
    assert server.letters == foreign.letters == []


async def test_nobody_there_is_tried_again(authority: Authority) -> None:
    """A refused connection is a retry without a doubt; the system's own words say what was wrong."""
    async with MailServer() as server:
        box = mail(server, authority)
    answer = await box.send(message(), "k")
    assert answer.detail == f"connect: SMTPConnectError: Connect call failed ('127.0.0.1', {server.port})"
    assert (answer.outcome, answer.reason, answer.doubtful) == (Delivery.RETRY, SendReason.UNREACHABLE, False)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        assert not any(name.startswith("on") for name, _ in attrs)


@pytest.mark.parametrize("build", [hostile, hostile_summary])
@pytest.mark.parametrize("text", [*HOSTILE, '"><svg/onload=alert(1)>', "' style='x:expression(1)"])
async def test_feeds_cannot_inject(server: MailServer, text: str, build: Callable[[str], Message]) -> None:
    """No text of a feed's adds a header, a tag, or a link that is not http."""
    await send(server, build(text))
    letter = server.letters[0][1]
    assert letter["Bcc"] is None
    assert not letter.defects
    assert set(letter.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "References", "Auto-Submitted", "X-Auto-Response-Suppress",
        "MIME-Version", "Content-Type",
    }  # fmt: skip
    html = letter.get_body(("html",))
    assert html is not None
    parser = _Tags()
    parser.feed(html.get_content())
    assert not parser.tags & {"script", "img", "svg", "style"}
    assert all(link.startswith("https://news.example.org/") for link in parser.links)


async def test_letters_are_seven_bit_in_short_lines(server: MailServer) -> None:
    """RFC 5322 and 5321: no line over 998 characters and no raw eight-bit bytes, whatever the headline."""
    await send(server, message(headline="خبر " * 2000))
    assert server.sources[0].isascii()
    assert max(len(line) for line in server.sources[0].split(b"\r\n")) <= 998


@pytest.mark.parametrize(
    "text", ["", "desk", "a@b@", "Desk <desk>", "x\r\nBcc: y@example.org", "دسك@example.org", "a b@example.org"]
)
def test_addresses_are_read_strictly(text: str) -> None:
    """What is not a mail address is refused when the configuration is read."""
    with pytest.raises(ValueError, match="mail address"):
        read_address(text)
