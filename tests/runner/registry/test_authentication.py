"""Credentials: basic ones, tokens, and TLS, against registries that ask for them."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID
from runner.registry.authentication import parse_challenge
from runner.registry.credentials import find
from runner.registry.reference import parse

from tests.runner.registry.component import make
from tests.runner.registry.service import CERTIFICATE, Registry, errors, run, running

#: Of "ada" with "open sesame", by bcrypt.
HTPASSWD = "ada:$2b$04$7.2omWum/PhUFyv1JW0kLuV2nxMPhaAqfdxAIx1/ZSSBrbRgGtrFW\n"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that asks for a password."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "htpasswd").write_text(HTPASSWD)
    with running(folder, auth={"htpasswd": {"realm": "here", "path": str(folder / "htpasswd")}}) as found:
        yield found


def keep(folder: Path, host: str, entry: dict[str, str]) -> None:
    """Writes what ``docker login`` keeps."""
    (folder / "docker").mkdir(exist_ok=True)
    (folder / "docker/config.json").write_text(json.dumps({"auths": {host: entry}}))


def as_ada(monkeypatch: pytest.MonkeyPatch, password: str = "open sesame") -> None:
    monkeypatch.setenv("RUNNER_REGISTRY_USER", "ada")
    monkeypatch.setenv("RUNNER_REGISTRY_PASSWORD", password)


def test_a_password_out_of_the_environment_opens(
    guarded: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"{guarded.host}/environment"
    as_ada(monkeypatch)
    run("publish", make(tmp_path / "app"), place)
    run("pull", place, tmp_path / "got")


def test_without_a_password_or_with_another_one_there_is_one_line(
    guarded: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"{guarded.host}/nobody"
    (line,) = errors("publish", make(tmp_path / "app"), place)
    assert line.startswith(f"runner: error: {place}")
    assert ": answered with 401: UNAUTHORIZED authentication required" in line
    as_ada(monkeypatch, "guess")
    (line,) = errors("publish", tmp_path / "app", place)
    assert "answered with 401" in line
    assert "guess" not in line


@pytest.mark.parametrize("key", ["{}", "https://{}"])
def test_what_docker_login_has_kept_opens(guarded: Registry, tmp_path: Path, key: str) -> None:
    place = f"{guarded.host}/docker{len(key)}"
    keep(tmp_path, key.format(guarded.host), {"auth": base64.b64encode(b"ada:open sesame").decode()})
    run("publish", make(tmp_path / "app"), place)


def test_credentials_of_one_registry_are_not_those_of_another(tmp_path: Path) -> None:
    keep(tmp_path, "one.example", {"username": "ada", "password": "secret"})
    environment = {"DOCKER_CONFIG": str(tmp_path / "docker")}
    found = find(parse("one.example/app"), environment)
    assert found is not None
    assert found.user == "ada"
    assert "secret" not in repr(found)
    assert find(parse("two.example/app"), environment) is None
    assert find(parse("one.example:5000/app"), environment) is None


def test_what_docker_kept_for_its_hub_is_found(tmp_path: Path) -> None:
    keep(tmp_path, "https://index.docker.io/v1/", {"username": "ada", "password": "secret"})
    assert find(parse("docker.io/ada/app"), {"DOCKER_CONFIG": str(tmp_path / "docker")}) is not None
    assert parse("docker.io/ada/app").host == "registry-1.docker.io"


@pytest.mark.parametrize("text", ["[]", "{", '{"auths": {"localhost:1": {"auth": "?"}}}', '{"auths": 3}'])
def test_a_file_of_docker_that_can_not_be_understood_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/config.json").write_text(text)
    (line,) = errors("pull", "localhost:1/app", tmp_path / "got")
    assert line.endswith("config.json is not what docker keeps: no credentials can be read")


# TLS


def test_a_registry_with_tls_is_believed_by_its_certificate_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, tls={"certificate": str(CERTIFICATE), "key": str(CERTIFICATE)}) as secure:
        place = f"{secure.host}/app"
        app = make(tmp_path / "app")
        (line,) = errors("publish", app, place, "--no-plain-http")
        assert line.startswith(f"runner: error: {secure.host}: TLS: ")
        assert "certificate verify failed" in line
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        run("publish", app, place, "--no-plain-http")
        run("pull", place, tmp_path / "got", "--no-plain-http")
        assert secure.tags("app") == ["1.0.0"]
        (line,) = errors("pull", place, tmp_path / "plain")
        assert "answered with 400" in line


# Tokens


class Tokens(ThreadingHTTPServer):
    """Gives tokens for a password, or to anybody who wants to read, as servers beside registries do."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Tokens)
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tokens")])
        now = datetime.now(UTC)
        self.certificate = (
            x509.CertificateBuilder(subject, subject, self.key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )
        self.asked: list[tuple[str, str]] = []
        self.field = "token"

    def token(self, scopes: list[str]) -> str:
        """A JSON Web Token (RFC 7519) with what was asked for."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        now = int(time.time())
        access = [
            {"type": kind, "name": name, "actions": actions.split(",")}
            for kind, name, actions in (scope.split(":") for scope in scopes)
        ]
        head = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
        claims = {"iss": "tokens", "sub": "", "aud": "registry", "exp": now + 300, "nbf": now - 60, "iat": now}
        signed = ".".join(_encoded(json.dumps(item).encode()) for item in (head, {**claims, "access": access}))
        r, s = utils.decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encoded(r.to_bytes(32) + s.to_bytes(32))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class _Tokens(BaseHTTPRequestHandler):
    server: Tokens

    def do_GET(self) -> None:
        scopes = parse_qs(urlsplit(self.path).query).get("scope", [])
        given = self.headers.get("Authorization", "")
        self.server.asked.append((" ".join(scopes), given))
        is_ada = given == "Basic " + base64.b64encode(b"ada:open sesame").decode()
        is_refused = bool(given) and not is_ada
        allowed = (
            scopes if is_ada else [scope.replace("push,pull", "pull").replace("pull,push", "pull") for scope in scopes]
        )
        body = json.dumps({self.server.field: self.server.token(allowed)}).encode()
        self.send_response(401 if is_refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def tokens() -> Iterator[Tokens]:
    with Tokens() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextlib.contextmanager
def with_tokens(tokens: Tokens, folder: Path) -> Iterator[Registry]:
    (folder / "root.pem").write_bytes(tokens.certificate.public_bytes(serialization.Encoding.PEM))
    realm = f"http://127.0.0.1:{tokens.server_address[1]}/token?x=1"
    settings = {"realm": realm, "service": "registry", "issuer": "tokens", "rootcertbundle": str(folder / "root.pem")}
    with running(folder, auth={"token": settings}) as found:
        yield found


def test_tokens_are_fetched_for_what_each_request_needs(
    tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with with_tokens(tokens, tmp_path) as registry:
        place = f"{registry.host}/app"
        app = make(tmp_path / "app")
        (line,) = errors("publish", app, place)
        assert "answered with 401" in line
        as_ada(monkeypatch)
        tokens.asked.clear()
        run("publish", app, place)
        # The registry says "push,pull" at one time, and "pull,push" at another.
        actions = {tuple(sorted(scope.removeprefix("repository:app:").split(","))) for scope, _ in tokens.asked}
        assert actions == {("pull",), ("pull", "push")}
        monkeypatch.delenv("RUNNER_REGISTRY_USER")
        tokens.field = "access_token"
        run("pull", place, tmp_path / "got")
        assert tokens.asked[-1] == ("repository:app:pull", "")


def test_a_server_of_tokens_that_refuses_or_gives_none_is_one_line(
    tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with with_tokens(tokens, tmp_path) as registry:
        place = f"{registry.host}/app"
        as_ada(monkeypatch, "guess")
        (line,) = errors("pull", place, tmp_path / "got")
        assert "token from 127.0.0.1:" in line
        assert "answered with 401" in line
        tokens.field = "something"
        monkeypatch.delenv("RUNNER_REGISTRY_USER")
        assert errors("pull", place, tmp_path / "got")[0].endswith("gave no token")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Basic", ("basic", {})),
        ('Basic realm="a b"', ("basic", {"realm": "a b"})),
        (
            'Bearer realm="https://a/t?x=1,2",service=r,Scope="repository:a/b:pull,push"',
            ("bearer", {"realm": "https://a/t?x=1,2", "service": "r", "scope": "repository:a/b:pull,push"}),
        ),
        (r'bearer realm="a\"b"', ("bearer", {"realm": 'a"b'})),
        ("", ("", {})),
    ],
)
def test_challenges_are_read_as_http_writes_them(text: str, expected: tuple[str, dict[str, str]]) -> None:
    assert parse_challenge(text) == expected
