"""The certificate of the service: one context for all who serve with it, so that a session goes on whoever serves."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from runner.errors import RunnerError

__all__ = ["Certificate"]


class Certificate:
    """A chain and its key in files of PEM, and the context for connections that were accepted."""

    def __init__(self, chain: str, key: str, prepare: Callable[[ssl.SSLContext], None] = lambda context: None) -> None:
        """`prepare` sets what a protocol wants of TLS. Raises `RunnerError` where the files can't be used."""
        self._files = chain, key
        self._prepare = prepare
        #: TLS 1.2 or newer.
        self.context = self._read()

    def renew(self) -> None:
        """Reads the files anew, for connections from now on.

        Raises `RunnerError` where that can't be done; the former certificate stays then.
        """
        latest = self._read()

        def choose(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            connection.context = latest

        # A context has a place for each kind of key, so that loading another chain into it need not replace the first.
        self.context.sni_callback = choose

    def _read(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._prepare(context)
        try:
            # Without a function OpenSSL would ask for it, and wait at whatever terminal there is.
            context.load_cert_chain(*self._files, password=self._refuse)
        except OSError as error:  # ssl.SSLError is one.
            raise RunnerError(f"the certificate {self._files[0]} can't be used: {error.strerror or error}") from None
        return context

    def _refuse(self) -> str:
        raise RunnerError(f"the key {self._files[1]} is under a password: it can't be used for a service")
