"""Signatures as cosign makes them: who has the key can tell, and nobody else can pass for the signer.

``cosign.key``, ``cosign.pub`` and the signature below were made by cosign 2.5.3, for the password "secret".
"""

from __future__ import annotations

import base64
import json
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from runner.errors import RunnerError
from runner.registry.client import Repository, connect
from runner.registry.keys import private_key, public_key
from runner.registry.reference import parse
from runner.registry.signing import tag_of, verify

from tests.runner.registry.component import make
from tests.runner.registry.service import Registry, errors, run

HERE = Path(__file__).parent
DIGEST = "sha256:e38026ca95124c8719f223018ad7eff7e75ecaae1614c0931d5f7fd4cc8af8bf"
PAYLOAD = (
    '{"critical":{"identity":{"docker-reference":"127.0.0.1:5077/witgen/progress"},"image":{"docker-manifest-digest":"'
    + DIGEST
    + '"},"type":"cosign container image signature"},"optional":null}'
)
SIGNATURE = "MEQCIA5Ws6OosB1/83l+4igjZGARY1+WEpfl4SJHdjH5s0cQAiA9jChPF2s/0ua6sjf8QH+9V0q4exNmsmEAowVpoIRopA=="
PKCS8 = serialization.PrivateFormat.PKCS8
PEM = serialization.Encoding.PEM


def name(place: str) -> str:
    return place.partition("/")[2]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The path of a pair without its ending."""
    run("key", tmp_path / "mine")
    return tmp_path / "mine"


def repository(place: str) -> Repository:
    return connect(parse(place), plain=None)


def test_what_is_signed_with_a_key_is_taken_by_the_other_half(place: str, tmp_path: Path, keys: Path) -> None:
    assert "and is signed" in run("publish", make(tmp_path / "app"), place, "--key", f"{keys}.key").stderr
    assert "signed with the key" in run("pull", place, tmp_path / "got", "--key", f"{keys}.pub").stderr


def test_what_is_not_signed_is_refused_where_a_key_is_given(place: str, tmp_path: Path, keys: Path) -> None:
    run("publish", make(tmp_path / "app"), place)
    (line,) = errors("pull", place, tmp_path / "got", "--key", f"{keys}.pub")
    assert line.endswith(" is not signed")
    assert not (tmp_path / "got").exists()


def test_the_signature_of_another_key_is_refused(place: str, tmp_path: Path, keys: Path) -> None:
    run("key", tmp_path / "other")
    run("publish", make(tmp_path / "app"), place, "--key", tmp_path / "other.key")
    (line,) = errors("pull", place, tmp_path / "got", "--key", f"{keys}.pub")
    assert line.endswith(" is not signed with this key")
    assert not (tmp_path / "got").exists()


def test_the_signature_of_another_component_does_not_count(
    registry: Registry, place: str, tmp_path: Path, keys: Path
) -> None:
    signed = run("publish", make(tmp_path / "one"), place, "--key", f"{keys}.key").stdout.strip().rpartition("@")[2]
    run("publish", make(tmp_path / "two", version="1.1.0"), place)
    other = run("pull", place, tmp_path / "free").stdout.strip().rpartition("@")[2]
    moved = registry.get(f"/v2/{name(place)}/manifests/{tag_of(signed)}")[1]
    repository(place).put_manifest(tag_of(other), moved)
    (line,) = errors("pull", place, tmp_path / "got", "--key", f"{keys}.pub")
    assert line.endswith(f"{other} is not signed with this key")


def test_the_artifact_of_a_signature_is_as_cosign_specifies_it(
    registry: Registry, place: str, tmp_path: Path, keys: Path
) -> None:
    digest = run("publish", make(tmp_path / "app"), place, "--key", f"{keys}.key").stdout.strip().rpartition("@")[2]
    manifest = registry.manifest(name(place), digest.replace(":", "-") + ".sig")
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/vnd.dev.cosign.simplesigning.v1+json"
    payload = registry.get(f"/v2/{name(place)}/blobs/{layer['digest']}")[1]
    assert json.loads(payload) == {
        "critical": {
            "identity": {"docker-reference": place},
            "image": {"docker-manifest-digest": digest},
            "type": "cosign container image signature",
        },
        "optional": None,
    }
    signature = base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"])
    public_key(Path(f"{keys}.pub")).verify(signature, payload, ec.ECDSA(hashes.SHA256()))
    config = json.loads(registry.get(f"/v2/{name(place)}/blobs/{manifest['config']['digest']}")[1])
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]


def test_a_second_key_adds_its_signature_and_the_first_stays(
    registry: Registry, place: str, tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    run("key", tmp_path / "other")
    app = make(tmp_path / "app")
    for key in (f"{keys}.key", tmp_path / "other.key", f"{keys}.key"):
        digest = run("publish", app, place, "--force", "--key", key).stdout.strip().rpartition("@")[2]
    assert len(registry.manifest(name(place), tag_of(digest))["layers"]) == 2
    for key in (f"{keys}.pub", tmp_path / "other.pub"):
        run("pull", place, tmp_path / Path(key).stem, "--key", key)


# What cosign has made


def put_signature(place: str, payload: bytes, **annotations: str) -> None:
    from runner.registry.client import digest_of

    target = repository(place)
    target.put_blob(payload)
    target.put_blob(b"{}")
    layer = {
        "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
        "size": len(payload),
        "digest": digest_of(payload),
        "annotations": annotations,
    }
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": digest_of(b"{}")}
    mediatype = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": mediatype, "config": config, "layers": [layer]}
    target.put_manifest(tag_of(DIGEST), json.dumps(manifest).encode())


def test_a_signature_that_cosign_made_is_taken(place: str) -> None:
    put_signature(place, PAYLOAD.encode(), **{"dev.cosignproject.cosign/signature": SIGNATURE})
    verify(repository(place), DIGEST, public_key(HERE / "cosign.pub"))


@pytest.mark.parametrize("signature", [SIGNATURE[:-8] + "AAAApA==", "", "no base64!", None])
def test_a_signature_that_is_wrong_or_none_is_refused(place: str, signature: str | None) -> None:
    annotations = {} if signature is None else {"dev.cosignproject.cosign/signature": signature}
    put_signature(place, PAYLOAD.encode(), **annotations)
    with pytest.raises(RunnerError, match="is not signed with this key"):
        verify(repository(place), DIGEST, public_key(HERE / "cosign.pub"))


@pytest.mark.parametrize(
    "payload", [PAYLOAD.replace("cosign container image signature", "atomic"), "{}", "[", "null", '{"critical":3}']
)
def test_a_payload_that_says_something_else_is_refused_though_its_signature_is_right(
    place: str, tmp_path: Path, keys: Path, payload: str
) -> None:
    key = private_key(Path(f"{keys}.key"))
    made = base64.b64encode(key.sign(payload.encode(), ec.ECDSA(hashes.SHA256()))).decode()
    put_signature(place, payload.encode(), **{"dev.cosignproject.cosign/signature": made})
    with pytest.raises(RunnerError, match="is not signed with this key"):
        verify(repository(place), DIGEST, key.public_key())


def test_a_key_that_cosign_made_signs(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make(tmp_path / "app")
    for password in (None, "wrong"):
        if password is not None:
            monkeypatch.setenv("COSIGN_PASSWORD", password)
        (line,) = errors("publish", app, place, "--key", HERE / "cosign.key")
        assert line.endswith("is no private key in PEM, or COSIGN_PASSWORD is not its password")
    monkeypatch.setenv("COSIGN_PASSWORD", "secret")
    run("publish", app, place, "--key", HERE / "cosign.key")
    run("pull", place, tmp_path / "got", "--key", HERE / "cosign.pub")


# Keys


def test_keys_of_openssl_sign_plain_and_under_a_password(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    sealed = serialization.BestAvailableEncryption(b"secret")
    public = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "plain.key").write_bytes(key.private_bytes(PEM, PKCS8, serialization.NoEncryption()))
    (tmp_path / "sealed.key").write_bytes(key.private_bytes(PEM, PKCS8, sealed))
    (tmp_path / "key.pub").write_bytes(public)
    assert errors("publish", make(tmp_path / "app"), place, "--key", tmp_path / "sealed.key")
    monkeypatch.setenv("COSIGN_PASSWORD", "secret")
    for version, file in (("1.0.0", "plain.key"), ("1.1.0", "sealed.key")):
        run("publish", tmp_path / "app", f"{place}:{version}", "--key", tmp_path / file)
        run("pull", f"{place}:{version}", tmp_path / version, "--key", tmp_path / "key.pub")


def test_a_pair_is_made_once_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSIGN_PASSWORD", "secret")
    run("key", tmp_path / "k")
    before = (tmp_path / "k.key").read_bytes()
    assert before.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert stat.S_IMODE((tmp_path / "k.key").stat().st_mode) == 0o600
    assert errors("key", tmp_path / "k") == [f"{tmp_path / 'k.key'}: error: file exists"]
    assert (tmp_path / "k.key").read_bytes() == before
    (tmp_path / "other.pub").write_text("of somebody else")
    assert errors("key", tmp_path / "other") == [f"{tmp_path / 'other.pub'}: error: file exists"]
    assert not (tmp_path / "other.key").exists()


def test_openssl_verifies_what_a_pair_signs(tmp_path: Path, keys: Path) -> None:
    (tmp_path / "text").write_bytes(b"text")
    (tmp_path / "sig").write_bytes(private_key(Path(f"{keys}.key")).sign(b"text", ec.ECDSA(hashes.SHA256())))
    command = ["openssl", "dgst", "-sha256", "-verify", f"{keys}.pub", "-signature", "sig", "text"]
    try:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("there is no openssl on this machine")
    assert done.stdout == "Verified OK\n", done.stderr


def test_keys_of_another_kind_are_refused(tmp_path: Path, place: str) -> None:
    app = make(tmp_path / "app")
    others: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "p384": ec.generate_private_key(ec.SECP384R1()),
    }
    for kind, key in others.items():
        (tmp_path / kind).write_bytes(key.private_bytes(PEM, PKCS8, serialization.NoEncryption()))
        (line,) = errors("publish", app, place, "--key", tmp_path / kind)
        assert line.endswith(f"{kind}: is no key of ECDSA on P-256")
    (tmp_path / "text").write_text("text")
    assert errors("publish", app, place, "--key", tmp_path / "text")[0].endswith("is no private key in PEM")
    assert errors("publish", app, place, "--key", tmp_path / "gone")[0].endswith("no such file or directory")
    run("publish", app, place)
    assert errors("pull", place, tmp_path / "got", "--key", tmp_path / "text")[0].endswith("is no public key in PEM")
    assert errors("pull", place, tmp_path / "got", "--key", HERE / "cosign.key")[0].endswith("is no public key in PEM")
