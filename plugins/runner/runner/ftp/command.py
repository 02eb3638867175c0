"""`runner serve ftp`: its arguments, and what they ask for."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from runner.launch import Launch, Serving, launch
from runner.options import ADDRESS, FILE, SERVING, flag_options, reporting, text_of, with_options

__all__ = ["ftp", "ftp_options"]

F = TypeVar("F", bound=Callable[..., Any])


def _ports(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, int] | None:
    if value == "none":
        return None
    found = re.fullmatch(r"(\d{1,5})-(\d{1,5})", value)
    if found is None or not 1 <= int(found[1]) <= int(found[2]) <= 65535:
        raise click.BadParameter(f"{value!r} is no range such as 50000-50999", ctx, param)
    return int(found[1]), int(found[2])


def _public(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no IPv4 address", ctx, param) from None


_OPTIONS = (
    click.option("--bind", metavar=ADDRESS, default="127.0.0.1:2121", show_default=True, help="Where to listen."),
    click.option("--root", default=".", show_default=True, help="The folder, or the URL of a storage, with the files."),
    click.option("--accounts", type=FILE, help="The file of those who may log in. [default: nobody]"),
    click.option("--anonymous", is_flag=True, help="Let anybody look around and fetch, without a password."),
    click.option(
        "--passive-ports",
        metavar="FIRST-LAST",
        callback=_ports,
        default="49152-65535",
        show_default=True,
        help="The ports for data connections; none: there is no passive mode.",
    ),
    click.option(
        "--public-address", callback=_public, help="The IPv4 address that clients reach, if it is another one."
    ),
    click.option("--active/--no-active", default=True, show_default=True, help="Whether PORT and EPRT are allowed."),
    click.option(
        "--tls",
        type=click.Choice(["off", "offered", "login", "everything"]),
        help="Whether clients may, or must, have TLS. [default: offered with a certificate]",
    ),
    click.option("--sync/--no-sync", default=True, help="Whether uploads are on the disk when they are acknowledged."),
    *SERVING,
)


def ftp_options(command: F) -> F:
    """The options of a command that serves FTP. They reach it as one argument: a `Launch`."""

    @functools.wraps(command)
    def wrapped(
        *,
        bind: str,
        root: str,
        accounts: Path | None,
        anonymous: bool,
        passive_ports: tuple[int, int] | None,
        public_address: str | None,
        active: bool,
        tls: str | None,
        sync: bool,
        **others: Any,
    ) -> Any:
        serving = Serving.take(others)
        if serving.certificate is None and tls not in (None, "off"):
            raise click.UsageError("--tls needs --certificate and --key")
        from runner.ftp.config import FtpConfig
        from runner.ftp.options import Options

        options = Options(
            root=root,
            accounts=text_of(accounts),
            anonymous=anonymous,
            sync=sync,
            config=FtpConfig(
                active=active,
                passive_ports=passive_ports,
                public_address=public_address,
                tls=tls or ("off" if serving.certificate is None else "offered"),
                grace=serving.grace,
            ),
            **serving.for_workers(),
        )
        return command(serving.launch("ftp", "ftp", bind, options), **others)

    return flag_options(with_options(*_OPTIONS)(wrapped))  # type: ignore[return-value]


@click.command()
@reporting
@ftp_options
def ftp(found: Launch) -> None:
    """Serve files over FTP, with TLS if there is a certificate.

    By the component where the flag runner.ftp_component is on; where it is off, or the component fails, in Python.
    """
    launch(found)
