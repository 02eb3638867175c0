"""`runner:host/tls`."""
from runner.bindings import http_component as wit


class Tls:
    def client(self, input: wit.InputStream, output: wit.OutputStream, server_name: str) -> tuple[wit.InputStream, wit.OutputStream]:
        raise wit.TlsErrorException(wit.TlsError(wit.TlsErrorKind.DENIED, "no"))

    def server(self, input: wit.InputStream, output: wit.OutputStream) -> tuple[wit.InputStream, wit.OutputStream]:
        raise wit.TlsErrorException(wit.TlsError(wit.TlsErrorKind.DENIED, "no"))

    def stream_failure(self, failure: wit.IoError) -> wit.TlsError | None:
        return None
