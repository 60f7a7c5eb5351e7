"""A certificate authority of the tests' own, and contexts for servers and clients that trust it."""

import ssl
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key


class Authority:
    """Signs for 127.0.0.1 and localhost."""

    def __init__(self) -> None:
        self._ca = trustme.CA()

    def server(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._ca.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        return context

    def client(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self._ca.configure_trust(context)
        return context

    def write(self, path: Path) -> Path:
        """The authority's own certificate, as a file for `ca_file`."""
        self._ca.cert_pem.write_to_path(path)
        return path

    def write_server(self, path: Path) -> Path:
        """A server's key, as PKCS #8, and its certificates: what Java reads of PEM."""
        issued = self._ca.issue_cert("127.0.0.1", "localhost")
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + chain)
        return path
