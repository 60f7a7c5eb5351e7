"""Configuration: what people write becomes typed values, and every mistake is named with file, line, key and reason."""

import os
from pathlib import Path

import pytest

from daemon.config.load import load_bus_config, load_config
from daemon.config.models import Config, Feed
from daemon.errors import ConfigError, Problem
from tests.servers.certificates import Authority

KAFKA = "bus: {kafka: {bootstrap_servers: [a], security: "


def load(folder: Path, text: str, **environ: str) -> Config:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, environ)


def problems(folder: Path, text: str, **environ: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **environ)
    return caught.value.problems


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    """A key left out does nothing unasked: an empty file gives the documented defaults."""
    config = load(tmp_path, "")
    assert config == Config()
    assert config.bus.kind == "embedded"
    assert config.polling.default_interval == 300


@pytest.mark.parametrize(
    ("text", "line", "key", "reason"),
    [
        ("data_dir: data\npoling: {}\n", 2, "poling", "unknown key; did you mean 'polling'?"),
        ("min_interval: 1m\n", 1, "min_interval", "unknown key here; it belongs under 'polling'"),
        ("bus: {listen: 'a:1'}\n", 1, "bus.listen", "unknown key here; it belongs under 'server'"),
        ("url: x\n", 1, "url", "unknown key here"),
        ("polling:\n  default_interval: 5\n", 2, "polling.default_interval", "not a duration"),
        ("polling:\n  min_interval: fast\n", 2, "polling.min_interval", "not a duration"),
        ("bus:\n  retention:\n    max_bytes: 20\n", 3, "bus.retention.max_bytes", "not a size"),
        ("bus: {kind: kafka}\n", 1, "bus", "no key `kafka`"),
        (KAFKA + "{protocol: SASL_SSL, username: a}}}\n", 1, "bus.kafka.security", "missing: mechanism, password"),
        (
            KAFKA + "{protocol: SSL, username: a}}}\n",
            1,
            "bus.kafka.security",
            "protocol SSL has no login, but there is username",
        ),
        (KAFKA + "{protocol: TLS}}}\n", 1, "bus.kafka.security.protocol", "'SASL_SSL'"),
        (KAFKA + "{username: a}}}\n", 1, "bus.kafka.security", "'protocol' is missing"),
        ("bus: {kind: rabbit}\n", 1, "bus.kind", "'embedded' or 'kafka'"),
        ("feeds:\n- {id: a}\n", 2, "feeds[0]", "'url' is missing"),
        ("feeds:\n- {id: a b, url: x}\n", 2, "feeds[0].id", "must be Latin letters"),
        ("feeds:\n- {id: a, url: x, enabled: no}\n", 2, "feeds[0].enabled", "must be true or false"),
        ("receivers:\n- name: x\n", 2, "receivers[0]", "has no channel"),
        ("server:\n  listen: nowhere\n", 2, "server.listen", "is not host:port"),
        ("route:\n  receiver: x\n  budget: 30/h\n", 3, "route.budget", "unknown key"),
        ("server:\n  listen: 127.0.0.1:99999\n", 2, "server.listen", "over 65535"),
        ('polling:\n  user_agent: "a\\r\\nX: b"\n', 2, "polling.user_agent", "one line"),
        ("polling:\n  min_interval: 10h\n  max_interval: 1h\n", 1, "polling", "longer than max_interval"),
        ('data_dir: "a\\0b"\n', 1, "data_dir", "NUL"),
        ("data_dir: a\ndata_dir: b\n", 2, "data_dir", "stands here twice"),
        ("polling: [1, 2\n", 2, "", "not valid YAML"),
        ("polling:\n\tx: 1\n", 2, "", "not valid YAML"),
        ("- 1\n", 1, "", "must be a section"),
        ("bus: 3\n", 1, "bus", "must be a section"),
        ("feeds: 3\n", 1, "feeds", "must be a list"),
        ("feeds: [{id: 3, url: 'http://a/'}]\n", 1, "feeds[0].id", "must be a text"),
        ("feeds: [{id: a, url: ''}]\n", 1, "feeds[0].url", "is empty"),
        ("polling: {concurrency: x}\n", 1, "polling.concurrency", "must be a whole number"),
        ("polling: {concurrency: 0}\n", 1, "polling.concurrency", "must be at least 1"),
        ("polling: {first_fetch: x}\n", 1, "polling.first_fetch", "must be 'summary', 'alert' or 'quiet'"),
        ("bus: {kind: rabbit}\n", 1, "bus.kind", "must be 'embedded' or 'kafka'"),
        ("? [a]\n: 1\n", 1, "", "a key must be a plain word"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, line: int, key: str, reason: str) -> None:
    """A mistake is named with its file, line, key and reason."""
    found = problems(tmp_path, text)[0]
    assert (found.file, found.line, found.key) == (str(tmp_path / "config.yaml"), line, key)
    assert reason in found.reason


def test_certificates_where_there_is_no_tls(tmp_path: Path) -> None:
    """Who gives certificates expects TLS: a protocol without it is refused, rather than used in the clear."""
    Authority().write(tmp_path / "ca.pem")
    found = problems(tmp_path, KAFKA + "{protocol: PLAINTEXT, ca_file: ca.pem}}}")[0]
    assert (found.key, found.reason.partition(":")[0]) == (
        "bus.kafka.security",
        "protocol PLAINTEXT has no TLS, but there is ca_file",
    )


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """People should not have to fix one mistake to see the next."""
    assert len(problems(tmp_path, "a: 1\nb: 2\npolling: {min_interval: 3}\n")) == 3


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is one sentence with its name."""
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
        load_config(tmp_path / "none.yaml", {})


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are named, with where."""
    path = tmp_path / "config.yaml"
    path.write_bytes("data_dir: عراق".encode("cp1256"))
    with pytest.raises(ConfigError, match=r"is not UTF-8 \(byte 10"):
        load_config(path, {})


def test_yaml_is_read_with_the_booleans_of_1_2(tmp_path: Path) -> None:
    """`NO` is Norway, `12:30` is text and `true` is true (YAML 1.2)."""
    config = load(tmp_path, "feeds:\n- {id: a, url: x, country: NO, name: 12:30, language: no, enabled: true}\n")
    feed = config.feeds[0]
    assert isinstance(feed, Feed)
    assert (feed.country, feed.name, feed.language, feed.enabled) == ("NO", "12:30", "no", True)


def test_the_environment_overrides(tmp_path: Path) -> None:
    """RASID_A__B sets a.b, parsed as YAML; list entries go by number."""
    text = "feeds: [{id: a, url: x}]\n"
    overrides = {
        "RASID_SERVER__LISTEN": "0.0.0.0:1",
        "RASID_FEEDS__0__INTERVAL": "2m",
        "RASID_POLLING__CONCURRENCY": "7",
        "RASID_WATCHLISTS": "[a.yaml, b.yaml]",
        "RASID_UNRELATED": "left alone",
    }
    config = load(tmp_path, text, **overrides)
    assert config.server.listen == "0.0.0.0:1"
    assert config.feeds[0] == Feed.model_validate({"id": "a", "url": "x", "interval": "2m"})
    assert config.polling.concurrency == 7
    assert config.watchlists == ("a.yaml", "b.yaml")


def test_a_bad_override_names_its_variable(tmp_path: Path) -> None:
    """A mistake in the environment is told with the variable's name, not with a line of the file."""
    found = problems(tmp_path, "server: {listen: 'a:1'}\n", RASID_SERVER__LISTEN="nowhere")[0]
    assert found.file == "RASID_SERVER__LISTEN"


def test_variables_are_filled_in(tmp_path: Path) -> None:
    """A value like ${NAME} comes from the environment; an unset one is an error with its line."""
    text = 'receivers:\n- name: s\n  slack: {webhook_url: "${HOOK}"}\n'
    receiver = load(tmp_path, text, HOOK="https://hooks.example/T0/secret").receivers[0]
    assert receiver.slack is not None
    assert receiver.slack.webhook_url.get_secret_value() == "https://hooks.example/T0/secret"
    found = problems(tmp_path, text)[0]
    assert (found.line, found.reason) == (3, "the environment variable HOOK is not set")


def test_an_unset_variable_hides_no_other_mistake(tmp_path: Path) -> None:
    """An unset variable is told along with everything else, and once."""
    text = 'receivers:\n- name: s\n  slack: {webhook_url: "${HOOK}"}\npoling: {}\n'
    assert [(found.line, found.key) for found in problems(tmp_path, text)] == [
        (3, "receivers[0].slack.webhook_url"),
        (4, "poling"),
    ]


def test_a_variable_for_an_unknown_key(tmp_path: Path) -> None:
    """RASID_POLING__X is refused with its name: a mistyped override must not be swallowed."""
    assert [(found.file, found.key) for found in problems(tmp_path, "", RASID_POLING__X="1")] == [("RASID_POLING__X", "poling")]


def test_certificates_that_are_not_there(tmp_path: Path) -> None:
    """A `ca_file` that cannot be used is told with its line when the configuration is read."""
    found = problems(tmp_path, "polling:\n  ca_file: gone.pem\n")[0]
    assert (found.line, found.key) == (2, "polling.ca_file")
    assert "gone.pem" in found.reason


def test_secrets_come_from_files(tmp_path: Path) -> None:
    """`file:` reads a secret from a file, without the line end editors add; a missing one is named."""
    (tmp_path / "hook").write_text("https://hooks.example/abc\n", encoding="utf-8")
    receiver = load(tmp_path, "receivers: [{name: s, slack: {webhook_url: 'file:hook'}}]\n").receivers[0]
    assert receiver.slack is not None
    assert receiver.slack.webhook_url.get_secret_value() == "https://hooks.example/abc"
    found = problems(tmp_path, "receivers: [{name: s, slack: {webhook_url: 'file:gone'}}]\n")[0]
    assert "gone" in found.reason


def test_secrets_do_not_show(tmp_path: Path) -> None:
    """A secret stands neither in the repr of the configuration nor in an error about it."""
    canary = "https://hooks.example.org/canary-7f3a"
    text = f"receivers: [{{name: s, slack: {{webhook_url: '{canary}', extra: 1}}}}]\n"
    assert canary not in str(problems(tmp_path, text))
    config = load(tmp_path, text.replace(", extra: 1", ""))
    assert canary not in repr(config)


def test_a_document_that_contains_itself(tmp_path: Path) -> None:
    """An alias that contains itself is refused, not followed for ever."""
    assert "deep" in problems(tmp_path, "feeds: &a [*a]\n")[0].reason


@pytest.mark.parametrize(
    "text", ["receivers: [{name: s, slack: {webhook_url: 'file:/dev/zero'}}]\n", "polling: {ca_file: /dev/zero}\n"]
)
def test_devices_are_not_read(tmp_path: Path, text: str) -> None:
    """A device or pipe named as a secret or certificate is refused at once, not read for ever."""
    assert "plain file" in problems(tmp_path, text)[0].reason


def test_a_pipe_is_no_configuration(tmp_path: Path) -> None:
    """Nobody waits for somebody to write into it."""
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ConfigError, match="not a plain file"):
        load_config(tmp_path / "pipe.yaml", {})


def test_aliases_are_counted_where_they_are_filled_in(tmp_path: Path) -> None:
    """A few lines of aliases of aliases, a billion parts when filled in, are refused in no time."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert any("parts once its aliases" in found.reason for found in problems(tmp_path, "\n".join(lines)))


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_what_nests_too_deep_is_not_read_to_its_end(tmp_path: Path, opening: str) -> None:
    """Brackets within brackets, which the parser takes many seconds to read, are refused by the first that is too much."""
    found = problems(tmp_path, opening * 20_000)
    assert [(each.line, "60 deep" in each.reason) for each in found] == [(1, True)]


def test_an_alias_of_what_holds_it_is_refused_at_once(tmp_path: Path) -> None:
    """However many of them stand there: followed to the depth that is allowed they would be more than can be counted."""
    assert ["contains itself" in found.reason for found in problems(tmp_path, "a: &a [*a, *a, *a]\n")] == [True]


def test_aliases_deeper_than_what_is_written(tmp_path: Path) -> None:
    """Depth counts once aliases are filled in."""
    halves = "[" * 40 + "]" * 40, "[" * 40 + "*a" + "]" * 40
    assert "deep once" in problems(tmp_path, f"a: &a {halves[0]}\nb: {halves[1]}\n")[0].reason


def test_bytes_that_are_no_text_in_the_environment(tmp_path: Path) -> None:
    """A variable that is not UTF-8 is named."""
    assert problems(tmp_path, "", RASID_DATA_DIR="a\udcff")[0].file == "RASID_DATA_DIR"


def test_the_bus_alone_needs_no_other_secret(tmp_path: Path) -> None:
    """Commands that only look at the bus are not kept from it by receivers, feeds or their secrets; unknown keys still are."""
    path = tmp_path / "config.yaml"
    text = 'data_dir: here\nreceivers: [{name: s, slack: {webhook_url: "${SLACK}"}}]\nfeeds: [{id: bad id}]\n'
    path.write_text(text, "utf-8")
    assert load_bus_config(path, {"RASID_SERVER__LISTEN": "x:1"}).data_dir == Path("here")
    path.write_text(f"{text}poling: {{}}\n", "utf-8")
    with pytest.raises(ConfigError, match="unknown key"):
        load_bus_config(path, {})
