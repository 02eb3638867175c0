"""pyftpdlib with one user who may do everything, as its documentation shows it: the peer of the FTP benchmarks."""

from __future__ import annotations

import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


def main(folder: str, host: str, port: str, user: str, password: str) -> None:
    """Serves a folder until the process is ended."""
    logging.basicConfig(level=logging.WARNING)
    authorizer = DummyAuthorizer()
    authorizer.add_user(user, password, folder, perm="elradfmwMT")

    class Handler(FTPHandler):  # type: ignore[misc]
        pass

    Handler.authorizer = authorizer
    server = FTPServer((host, int(port)), Handler)
    server.max_cons_per_ip = 0
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
