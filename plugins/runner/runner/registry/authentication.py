"""What a registry asks of those who call, and the answer: basic credentials, or a token that others give for them.

Challenges are those of RFC 9110, section 11.6.1; tokens those of the "Token Authentication" of the distribution
project. It makes one request, by a function that is given to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from runner.registry.credentials import Credentials
from runner.registry.errors import RegistryError

__all__ = ["Authentication", "parse_challenge"]

_PARAMETER = re.compile(r'([a-zA-Z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
#: Makes a request: URL and fields; gives status and body.
Ask = Callable[[str, Mapping[str, str]], tuple[int, bytes]]


def parse_challenge(text: str) -> tuple[str, dict[str, str]]:
    """The scheme of a challenge in lower case, and its parameters."""
    scheme, _, rest = text.strip().partition(" ")
    found = {key.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for key, quoted, plain in _PARAMETER.findall(rest)}
    return scheme.lower(), found


@dataclass
class Authentication:
    """The field Authorization for one repository, as far as it is known by now. `is_plain` allows tokens over HTTP."""

    registry: str
    credentials: Credentials | None
    is_plain: bool
    ask: Ask
    value: str | None = None

    def answer(self, challenge: str) -> bool:
        """Answers a challenge; False where there is nothing to answer. Raises `RegistryError` where that fails."""
        scheme, parameters = parse_challenge(challenge)
        before = self.value
        if scheme == "basic" and self.credentials is not None:
            self.value = self.credentials.basic()
            return self.value != before
        if scheme == "bearer":
            self.value = "Bearer " + self._token(parameters)
            return True
        return False

    def _token(self, parameters: Mapping[str, str]) -> str:
        realm = parameters.get("realm", "")
        try:
            parts = urlsplit(realm)
        except ValueError:
            raise RegistryError(self.registry, f"wants a token from {realm!r}, which is no URL") from None
        if parts.scheme not in ("https", "http") or (parts.scheme == "http" and not self.is_plain):
            # A password goes there.
            raise RegistryError(self.registry, f"wants a token to be fetched from {realm!r}, which is not https")
        query = {key: parameters[key] for key in ("service", "scope") if key in parameters}
        url = realm + ("&" if parts.query else "?") + urlencode(query) if query else realm
        fields = {} if self.credentials is None else {"Authorization": self.credentials.basic()}
        status, body = self.ask(url, fields)
        if status != 200:
            raise RegistryError.of_answer(self.registry, f"token from {parts.netloc}", status, body)
        try:
            found = json.loads(body)
            token = found.get("token") or found["access_token"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            token = None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise RegistryError(self.registry, f"{parts.netloc} gave no token")
        return token
