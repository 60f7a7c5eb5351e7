"""The shape of config.yaml, typed and frozen; a key that is not built is refused as unknown."""

import re
import ssl
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    SecretStr,
    StrictBool,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.networks import IPvAnyNetwork

from daemon.config.files import SECRET, read_plain
from daemon.config.login import FeedAuth
from daemon.config.model import Model
from daemon.config.quantities import Duration, Limit, Size
from daemon.config.receivers import HookAddress, HookSecret, MailAddress
from daemon.config.secret import Secret
from daemon.messages.article import FirstFetch
from daemon.messages.match import Severity
from daemon.urls import site_of


def _certificates(path: Path, info: ValidationInfo) -> Path:
    """Certificates that cannot be used are a mistake to be told when the file is read, not at the first connection."""
    if info.context:
        try:
            certificates = read_plain(Path(info.context["folder"], path), SECRET)
            ssl.create_default_context(cadata=certificates.decode("ascii"))
        except (OSError, ValueError) as error:
            raise ValueError(
                f"the certificates in {path} cannot be used: {getattr(error, 'strerror', None) or error}"
            ) from error
    return path


CaFile = Annotated[Path, AfterValidator(_certificates)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")]
Port = Annotated[int, Field(ge=0, le=65535)]


class KafkaSecurity(Model):
    """How brokers are known to be the right ones (TLS), and how they know us (SASL)."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] | None = None
    username: str = ""
    password: Secret = SecretStr("")
    ca_file: CaFile | None = None

    @model_validator(mode="after")
    def _keys_fit_the_protocol(self) -> Self:
        login = {"mechanism": self.mechanism, "username": self.username, "password": self.password.get_secret_value()}
        if self.protocol.startswith("SASL_"):
            if missing := [name for name, value in login.items() if not value]:
                raise ValueError(
                    f"protocol {self.protocol} needs mechanism, username and password; missing: {', '.join(missing)}"
                )
        elif idle := [name for name, value in login.items() if value]:
            raise ValueError(f"protocol {self.protocol} has no login, but there is {', '.join(idle)}: SASL_SSL has one")
        if self.ca_file is not None and not self.protocol.endswith("SSL"):
            raise ValueError(f"protocol {self.protocol} has no TLS, but there is ca_file: SSL and SASL_SSL have it")
        return self


class KafkaSettings(Model):
    bootstrap_servers: tuple[str, ...] = Field(min_length=1)
    security: KafkaSecurity | None = None
    instance: Id | None = None
    topic_prefix: str = "rasid."
    partitions: int = Field(default=12, ge=1, le=1000)
    replication_factor: int = Field(default=3, ge=1)
    create_topics: StrictBool = True


class Retention(Model):
    """How long topics keep records, and how many bytes the embedded bus may take in all."""

    articles_raw: Duration = Field(default=604800.0, alias="articles.raw")
    articles: Duration = 2592000.0
    matches: Duration = 2592000.0
    outbox: Duration = 2592000.0
    alerts: Duration = 2592000.0
    deadletter: Duration = 2592000.0
    max_bytes: Size = 20000000000


class EmbeddedSettings(Model):
    min_free: Size = 100000000


class BusSettings(Model):
    kind: Literal["embedded", "kafka"] = "embedded"
    embedded: EmbeddedSettings = EmbeddedSettings()
    kafka: KafkaSettings | None = None
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _kafka_is_described(self) -> Self:
        if self.kind == "kafka" and self.kafka is None:
            raise ValueError("kind is kafka, but there is no key `kafka` with bootstrap_servers")
        return self


def _host_and_port(text: str) -> str:
    if not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}", text):
        raise ValueError(f"{text!r} is not host:port, such as 127.0.0.1:9464 or [::1]:9464")
    if int(text.rpartition(":")[2]) > 65535:
        raise ValueError(f"{text!r} names a port over 65535")
    return text


def _one_line(text: str) -> str:
    if not text.isprintable() or not text.isascii():
        raise ValueError("is not one line of plain ASCII, which is all that a header may hold")
    return text


class ServerSettings(Model):
    listen: Annotated[str, AfterValidator(_host_and_port)] = "127.0.0.1:9464"


class PerSite(Model):
    in_flight: Literal[1] = 1
    gap: Duration = 1.0


def _registrable(text: str) -> str:
    """The site in ASCII, as it is known everywhere else."""
    site = site_of(f"http://{text}/")
    if not site or site.count(".") != text.count("."):
        raise ValueError(f"{text!r} is not a site, which is a registrable domain such as {site or 'example.org'}")
    return site


class Site(Model):
    """What holds for one site instead of what stands in `polling`, where it is set."""

    site: Annotated[str, AfterValidator(_registrable)]
    gap: Duration | None = None
    min_interval: Duration | None = None
    max_hint: Duration | None = None
    pause: Literal["site", "feed"] = "site"


class Polling(Model):
    user_agent: Annotated[str, AfterValidator(_one_line)] = "Rasid/{version} (+https://example.org/rasid)"
    default_interval: Duration = 300.0
    min_interval: Duration = 60.0
    max_interval: Duration = 21600.0
    max_hint: Duration = 21600.0
    concurrency: int = Field(default=200, ge=1, le=10_000)
    per_site: PerSite = PerSite()
    sites: tuple[Site, ...] = ()
    allow_addresses: tuple[IPvAnyNetwork, ...] = ()
    allow_ports: tuple[Port, ...] = ()
    max_wire: Size = 5_000_000
    max_decoded: Size = 15_000_000
    ca_file: CaFile | None = None
    max_age: Limit = 86400.0
    first_fetch: FirstFetch = FirstFetch.SUMMARY

    @model_validator(mode="after")
    def _intervals_fit(self) -> Self:
        if self.min_interval > self.max_interval:
            raise ValueError("min_interval is longer than max_interval")
        for site in self.sites:
            if site.min_interval is not None and site.min_interval > self.max_interval:
                raise ValueError(f"min_interval of the site {site.site} is longer than max_interval")
        return self

    @field_validator("sites")
    @classmethod
    def _sites_once(cls, sites: tuple[Site, ...]) -> tuple[Site, ...]:
        names = [site.site for site in sites]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"the site {twice} stands here twice")
        return sites


class Feed(Model):
    """One feed. `interval`, `max_age` and `first_fetch` fall back to those of `polling` when not set."""

    id: Id
    url: str = Field(min_length=1)
    name: str = ""
    language: str = ""
    country: str = ""
    tags: tuple[str, ...] = ()
    enabled: StrictBool = True
    interval: Duration | None = None
    max_age: Limit = None
    first_fetch: FirstFetch | None = None
    user_agent: Annotated[str, AfterValidator(_one_line)] = ""
    delta: StrictBool = False
    auth: FeedAuth | None = None


class FeedFile(Model):
    """A YAML file of feeds (a list of `Feed`) or an OPML file; `enabled: false` switches all of it off."""

    file: str
    enabled: StrictBool = True


def _kind(entry: object) -> str:
    is_file = "file" in entry if isinstance(entry, dict) else isinstance(entry, FeedFile)
    return "a file" if is_file else "a feed"


FeedEntry = Annotated[Annotated[Feed, Tag("a feed")] | Annotated[FeedFile, Tag("a file")], Discriminator(_kind)]


class ConsoleChannel(Model):
    pass


class SlackChannel(Model):
    webhook_url: Annotated[Secret, HookAddress]
    ca_file: CaFile | None = None


class Smtp(Model):
    host: str
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: Secret = SecretStr("")
    ca_file: CaFile | None = None


class MailChannel(Model):
    to: tuple[MailAddress, ...] = Field(min_length=1)
    from_: MailAddress = Field(alias="from")
    smtp: Smtp


class WebhookChannel(Model):
    url: Annotated[Secret, HookAddress]
    secret: Annotated[Secret, HookSecret] | None = None
    ca_file: CaFile | None = None


class Receiver(Model):
    """A named set of channels; one row of the outbox each."""

    name: Id
    console: ConsoleChannel | None = None
    slack: SlackChannel | None = None
    mail: MailChannel | None = None
    webhook: WebhookChannel | None = None

    @model_validator(mode="after")
    def _has_a_channel(self) -> Self:
        if not (self.console or self.slack or self.mail or self.webhook):
            raise ValueError(f"receiver {self.name} has no channel; give it console, slack, mail or webhook")
        return self


class GroupWait(Model):
    high: Duration = 0.0
    normal: Duration = 90.0
    low: Duration = 600.0

    def of(self, severity: Severity) -> float:
        return float(getattr(self, severity.value))


class Branch(Model):
    """A route of the tree: what it matches, where it sends; unset timings are the parent's."""

    matchers: tuple[str, ...] = ()
    receiver: Id | None = None
    group_wait: GroupWait | None = None
    update_interval: Duration | None = None
    update_interval_max: Duration | None = None
    continue_: StrictBool = Field(default=False, alias="continue")
    routes: tuple["Branch", ...] = ()


class Route(Model):
    """The root of the tree: matches everything."""

    receiver: Id
    group_by: tuple[Literal["story"], ...] = ("story",)
    group_wait: GroupWait = GroupWait()
    update_interval: Duration = 600.0
    update_interval_max: Duration = 14400.0
    routes: tuple[Branch, ...] = ()


class Config(Model):
    """config.yaml. Paths in it are relative to the folder of the file."""

    data_dir: Path = Path("data")
    bus: BusSettings = BusSettings()
    server: ServerSettings = ServerSettings()
    polling: Polling = Polling()
    feeds: tuple[FeedEntry, ...] = ()
    watchlists: tuple[str, ...] = ()
    receivers: tuple[Receiver, ...] = (Receiver(name="screen", console=ConsoleChannel()),)
    route: Route = Route(receiver="screen")
