"""Which certificates are trusted: a private authority's, the system's, or both."""

import ssl
from pathlib import Path

import pytest

from daemon.config.trust import trusting
from daemon.errors import ConfigError
from tests.servers.certificates import Authority


def _names(context: ssl.SSLContext) -> set[str]:
    return {str(each["serialNumber"]) for each in context.get_ca_certs()}


def test_a_ca_file_stands_instead_of_the_systems_or_besides(tmp_path: Path) -> None:
    """Alone, only the file's authority is trusted; besides, the system's as well; without a file, the system's."""
    path = Authority().write(tmp_path / "ca.pem")
    system, alone, both = _names(trusting(None)), _names(trusting(path)), _names(trusting(path, besides=True))
    assert len(alone) == 1
    assert both == system | alone


@pytest.mark.parametrize("besides", [True, False])
def test_a_file_without_certificates_is_named(tmp_path: Path, besides: bool) -> None:  # noqa: FBT001 - a table
    """A file that cannot be used is a configuration error with the place it was named at."""
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"ca\.pem: here: the certificates cannot be used: "):
        trusting(tmp_path / "ca.pem", besides=besides, key="here")
