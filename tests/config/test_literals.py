"""Secrets in the configuration itself are found."""

from daemon.config.document import parse_document
from daemon.config.literals import literal_secrets

TEXT = """\
bus: {kind: kafka, kafka: {security: {password: "${KAFKA}"}}}
receivers:
  - name: a
    slack: {webhook_url: https://hooks.example.org/T}
    webhook: {url: https://hooks.example.org/b, secret: file:hook}
  - name: b
    mail: {smtp: {host: mail.example.org, username: b, password: hunter2}}
"""


def test_what_stands_in_the_file_is_told() -> None:
    """A password or Slack's address in the file is told with its place and not its value; references are no secrets."""
    found = literal_secrets(parse_document(TEXT, "config.yaml"))
    assert [(problem.line, problem.key) for problem in found] == [
        (4, "receivers[0].slack.webhook_url"),
        (7, "receivers[1].mail.smtp.password"),
    ]
    assert "hunter2" not in str(found)


def test_nothing_is_no_secret() -> None:
    """An empty file, and an empty password, warn of nothing."""
    assert literal_secrets(parse_document("", "c")) == literal_secrets(parse_document('password: ""', "c")) == []
