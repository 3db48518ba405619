"""TLS to the database: a certificate is checked for its authority and its name.

The test server speaks no TLS, so a door in front of it does: it takes PostgreSQL's request for TLS, shakes hands, and
passes on what comes.
"""

import selectors
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chalicelib.adapters.postgres import DatabaseSecret, Postgres
from chalicelib.errors import UpstreamUnavailable
from tests.contract.spendsense_database import fresh_database
from tests.patience import PATIENCE_MS

NAME = "database.example"
TLS_REQUEST = struct.pack("!ii", 8, 80877103)


class Authority:
    """Signs certificates; its own is in the file `path`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._folder = folder
        self.path = folder / f"{name}.pem"
        certificate = self._certificate(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.path.write_bytes(certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def context(self, host: str) -> ssl.SSLContext:
        """A server's side of TLS, with a certificate for `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]), key).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False
        )
        both = self._folder / f"{host}.pem"
        both.write_bytes(
            certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return context

    def _certificate(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )


class Door:
    """TLS in front of a server, for as long as the test runs; `handshakes` counts those that were completed."""

    def __init__(self, target: tuple[str, int], context: ssl.SSLContext) -> None:
        self._target = target
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.handshakes = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(connection,), daemon=True).start()

    def _pass(self, plain: socket.socket) -> None:
        with plain, suppress(OSError, ssl.SSLError):
            if plain.recv(8) != TLS_REQUEST:
                return
            plain.sendall(b"S")
            with self._context.wrap_socket(plain, server_side=True) as client:
                self.handshakes += 1
                with socket.create_connection(self._target) as server:
                    _exchange(client, server)


def _exchange(client: ssl.SSLSocket, server: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                came: Any = key.fileobj
                if not (content := came.recv(65_536)):
                    return
                while came is client and client.pending():
                    content += client.recv(client.pending())
                key.data.sendall(content)


class Vault:
    """One secret."""

    def __init__(self, url: str) -> None:
        self._content = {"url": url}

    def read(self, arn: str) -> dict[str, Any]:
        return self._content

    def forget(self, arn: str) -> None:
        pass


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_database() as url:
        yield url


def connected(url: str, door: Door, authorities: Path, host: str = NAME) -> bool:
    """Does the adapter connect through the door, under that name?"""
    through = make_conninfo(url, host=host, hostaddr="127.0.0.1", port=door.port)
    secret = DatabaseSecret(Vault(through), "arn", verify=True, authorities=str(authorities))
    database = Postgres(secret, statement_timeout_ms=PATIENCE_MS, pause=lambda _: None)
    with closing(database), closing(door):
        try:
            database.check()
        except UpstreamUnavailable:
            return False
        return True


def door_to(url: str, context: ssl.SSLContext) -> Door:
    where = conninfo_to_dict(url)
    return Door((str(where["host"]), int(where["port"] or 5432)), context)


def test_a_certificate_of_our_authority_for_our_name(url: str, authority: Authority) -> None:
    door = door_to(url, authority.context(NAME))
    assert connected(url, door, authority.path) is True
    assert door.handshakes == 1


def test_a_certificate_for_another_name(url: str, authority: Authority) -> None:
    assert connected(url, door_to(url, authority.context("another.example")), authority.path) is False


def test_a_certificate_of_another_authority(url: str, authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    assert connected(url, door_to(url, stranger.context(NAME)), authority.path) is False


def test_the_authorities_of_the_machine_do_not_know_ours(url: str, authority: Authority) -> None:
    assert connected(url, door_to(url, authority.context(NAME)), Path("system")) is False


def test_the_authorities_of_the_machine_are_found(
    url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The OpenSSL inside libpq's wheel knows none of the places in which machines keep them."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    monkeypatch.setattr("chalicelib.adapters.postgres.BUNDLES", ("/nowhere", str(authority.path)))
    assert connected(url, door_to(url, authority.context(NAME)), Path("system")) is True


def test_the_door_is_no_door_without_tls(url: str, authority: Authority) -> None:
    """What the others rely on: in plain words nobody gets through."""
    door = door_to(url, authority.context(NAME))
    with closing(door), pytest.raises(psycopg.OperationalError):
        psycopg.connect(make_conninfo(url, host="127.0.0.1", port=door.port, sslmode="disable", connect_timeout=60))
