"""Requests to a registry: time-outs, retries, redirections and credentials. It knows HTTP, and nothing of components.

Retried are the statuses 429, 500, 502, 503 and 504, four times, as `Retry-After` says or after 0, 1, 2 and 4 seconds;
connections that break or can't be made, twice. Credentials go to the registry alone, and nothing goes from https
to http.
"""

from __future__ import annotations

import logging
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import urllib3

from runner.registry.authentication import Authentication
from runner.registry.credentials import Credentials
from runner.registry.errors import RegistryError
from witgen import __version__

__all__ = ["Answer", "Transport", "joined"]

_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_RETRIED = (429, 500, 502, 503, 504)
_RETRY = urllib3.Retry(
    4,
    connect=2,
    read=2,
    other=0,
    redirect=False,
    status_forcelist=_RETRIED,
    allowed_methods=None,
    backoff_factor=0.5,
    backoff_max=8,
    retry_after_max=30,
    raise_on_status=False,
)
_REDIRECTIONS = 5
#: Bytes of what is no blob.
_LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of fields are in lower case."""

    status: int
    fields: Mapping[str, str]
    body: bytes
    url: str


class Transport:
    """The way to one registry. `registry` is its name in errors."""

    def __init__(
        self, registry: str, host: str, credentials: Credentials | None, *, plain: bool, direct: bool = False
    ) -> None:
        """Over plain HTTP if `plain` says so, and past any proxy if `direct` does."""
        self.registry = registry
        self.base = f"{'http' if plain else 'https'}://{host}"
        self._pool = _pool(self.base, host, direct)
        # What it tells of retries would stand among the errors.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        self._authentication = Authentication(registry, credentials, plain, self._ask)

    def send(
        self,
        method: str,
        target: str,
        *,
        fields: Mapping[str, str] | None = None,
        body: bytes | None = None,
        largest: int = _LARGEST,
        retried: bool = True,
    ) -> Answer:
        """One request and its answer, whatever the status. `target` is a path, or a URL that the registry gave.

        Raises `RegistryError` where there is none, or one of more than `largest` bytes.
        """
        url = joined(self.registry, self.base, target)
        for _ in range(_REDIRECTIONS):
            answer = self._authorized(method, url, fields or {}, body, largest, retried)
            if answer.status not in (301, 302, 303, 307, 308) or method not in ("GET", "HEAD"):
                return answer
            url = joined(self.registry, url, answer.fields.get("location", ""))
        raise RegistryError(
            self.registry, f"{method} {urlsplit(target).path}: redirected more than {_REDIRECTIONS} times"
        )

    def _authorized(
        self, method: str, url: str, fields: Mapping[str, str], body: bytes | None, largest: int, retried: bool
    ) -> Answer:
        if urlsplit(url).scheme != urlsplit(self.base).scheme and not url.startswith("https:"):
            raise RegistryError(self.registry, f"leads to {urlsplit(url).netloc} without https")
        is_own = urlsplit(url)[:2] == urlsplit(self.base)[:2]
        answer = self._once(method, url, self._with_own(fields, is_own), body, largest, retried)
        challenge = answer.fields.get("www-authenticate")
        if answer.status == 401 and challenge is not None and is_own and self._authentication.answer(challenge):
            answer = self._once(method, url, self._with_own(fields, is_own), body, largest, retried)
        return answer

    def _with_own(self, fields: Mapping[str, str], is_own: bool) -> dict[str, str]:
        value = self._authentication.value
        own = {"User-Agent": f"witgen/{__version__}"}
        return {**own, **fields, **({"Authorization": value} if value is not None and is_own else {})}

    def _once(
        self, method: str, url: str, fields: Mapping[str, str], body: bytes | None, largest: int, retried: bool
    ) -> Answer:
        try:
            response = self._pool.request(
                method,
                url,
                headers=fields,
                body=body,
                timeout=_TIMEOUT,
                retries=_RETRY if retried else False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                data = bytearray()
                for piece in response.stream(1 << 16):
                    data += piece
                    if len(data) > largest:
                        response.close()
                        raise RegistryError(self.registry, f"{urlsplit(url).path}: more than {largest} bytes")
            finally:
                response.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise RegistryError(self.registry, _reason(error)) from None
        found = {key.lower(): value for key, value in response.headers.items()}
        return Answer(response.status, found, bytes(data), url)

    def _ask(self, url: str, fields: Mapping[str, str]) -> tuple[int, bytes]:
        answer = self._once("GET", url, fields, None, _LARGEST, True)
        return answer.status, answer.body


def joined(registry: str, base: str, target: str) -> str:
    """What `target` means for who has it from `base`. Raises `RegistryError` where that is no URL."""
    try:
        return urljoin(base, target)
    except ValueError:
        raise RegistryError(registry, f"leads to {target!r}, which is no URL") from None


def _pool(base: str, host: str, direct: bool) -> urllib3.PoolManager:
    """Connections, by way of the proxy that the environment names."""
    scheme = urlsplit(base).scheme
    proxy = None if direct else urllib.request.getproxies().get(scheme)
    # The system's certificates, or those that SSL_CERT_FILE names.
    context = ssl.create_default_context()
    if proxy and not urllib.request.proxy_bypass(host):
        return urllib3.ProxyManager(proxy, ssl_context=context)
    return urllib3.PoolManager(ssl_context=context)


def _reason(error: BaseException) -> str:
    """The innermost reason why there is no answer, without addresses of objects."""
    while isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        error = error.reason
    match error:
        case urllib3.exceptions.ReadTimeoutError():
            return "did not answer in time"
        case urllib3.exceptions.SSLError():
            return f"TLS: {error.args[0] if error.args else error}"
        case urllib3.exceptions.NameResolutionError():
            return "there is no such host"
        case urllib3.exceptions.NewConnectionError() | OSError():
            return f"can't be reached: {str(error).rpartition('] ')[2].lower()}"
        case urllib3.exceptions.ConnectTimeoutError():
            return "can't be reached in time"
    return f"the connection broke: {error}"
