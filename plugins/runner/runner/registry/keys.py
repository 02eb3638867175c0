"""Keys for signatures: ECDSA on P-256, in the forms in which cosign and OpenSSL keep them.

Private keys are PKCS#8 in PEM, plain or under a password, or cosign's own form: PKCS#8 in a NaCl secret box whose key
scrypt makes of the password (`encrypted` of go-securesystemslib). The password is COSIGN_PASSWORD.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from runner.errors import RunnerError

__all__ = ["PASSWORD", "private_key", "public_key", "write_pair"]

PASSWORD = "COSIGN_PASSWORD"
_SEALED = re.compile(
    rb"-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----(.*?)"
    rb"-----END ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----",
    re.DOTALL,
)
#: What scrypt may cost at most: 128 * N * r * p bytes.
_MOST_MEMORY = 1 << 28


def private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Reads a key to sign with. Raises `RunnerError` for what is none, OSError for what can't be read."""
    data = path.read_bytes()
    password = os.environ.get(PASSWORD, "").encode()
    sealed = _SEALED.search(data)
    try:
        if sealed is not None:
            key = serialization.load_der_private_key(_unsealed(sealed[1], password), None)
        else:
            is_encrypted = b"ENCRYPTED" in data
            key = serialization.load_pem_private_key(data, password if is_encrypted else None)
    except (ValueError, TypeError, KeyError, CryptoError, UnsupportedAlgorithm):
        hint = f", or {PASSWORD} is not its password" if b"ENCRYPTED" in data else ""
        raise RunnerError(f"{path}: is no private key in PEM{hint}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RunnerError(f"{path}: is no key of ECDSA on P-256")
    return key


def public_key(path: Path) -> ec.EllipticCurvePublicKey:
    """Reads a key to verify with. Raises `RunnerError` for what is none, OSError for what can't be read."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise RunnerError(f"{path}: is no public key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RunnerError(f"{path}: is no key of ECDSA on P-256")
    return key


def _unsealed(body: bytes, password: bytes) -> bytes:
    """PKCS#8 out of cosign's form. Raises ValueError, TypeError, KeyError or CryptoError."""
    sealed: Any = json.loads(base64.b64decode(body))
    kdf, cipher = sealed["kdf"], sealed["cipher"]
    if (kdf["name"], cipher["name"]) != ("scrypt", "nacl/secretbox"):
        raise ValueError("another cipher")
    n, r, p = (kdf["params"][name] for name in "Nrp")
    salt, nonce, text = (base64.b64decode(item) for item in (kdf["salt"], cipher["nonce"], sealed["ciphertext"]))
    key = hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=32)
    return SecretBox(key).decrypt(text, nonce)


def write_pair(name: Path) -> tuple[Path, Path]:
    """Makes a pair of keys as ``NAME.key``, readable by its owner alone and under COSIGN_PASSWORD if that is set, and
    ``NAME.pub``. Raises OSError where one of them is there already."""
    key = ec.generate_private_key(ec.SECP256R1())
    password = os.environ.get(PASSWORD, "").encode()
    sealing = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    paths = Path(f"{name}.key"), Path(f"{name}.pub")
    texts = (
        key.private_bytes(pem, pkcs8, sealing),
        key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo),
    )
    for path in paths:
        # Half a pair is of no use to anyone.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    for path, text, mode in zip(paths, texts, (0o600, 0o644), strict=True):
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(text)
    return paths
