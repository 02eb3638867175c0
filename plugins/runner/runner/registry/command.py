"""`runner publish`, `runner pull` and `runner key`: arguments, and what is printed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from runner.options import reporting, with_options

__all__ = ["key", "publish", "pull"]

#: What the extra `registry` brings.
_EXTRA = ("cryptography", "nacl", "urllib3")
_PATH = click.Path(path_type=Path)
#: The options of those that deal with a registry.
_common = with_options(
    click.option("--lock", type=_PATH, help="The lock to hold it against; the nearest wit.lock."),
    click.option(
        "--plain-http/--no-plain-http",
        "plain",
        default=None,
        help="Whether to do without TLS. [default: on this machine alone]",
    ),
)


@contextlib.contextmanager
def _needing_extra() -> Iterator[None]:
    """Says what to install where a package of the extra is missing."""
    from runner.errors import RunnerError

    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise RunnerError(f"{error.name} is not installed: pip install 'witgen[registry]'") from None


@click.command()
@click.argument("manifest", type=_PATH)
@click.argument("reference")
@click.option("--key", type=_PATH, help="A private key to sign with, as cosign does.")
@click.option("--force", is_flag=True, help="Replace a version that is there.")
@_common
@reporting
def publish(manifest: Path, reference: str, **options: Any) -> None:
    """Publish a component to a registry, if it agrees with its contract and its version allows what changed.

    MANIFEST is a component.toml, or the folder that has it. REFERENCE is HOST/NAME or HOST/NAME:VERSION; without a
    version it is that of the manifest.
    """
    from runner.registry.reference import parse

    with _needing_extra():
        from runner.registry import publishing

    done = publishing.publish(publishing.Publishing(manifest, parse(reference), **options))
    compared = f"follows {done.predecessor}" if done.predecessor else "is the first release"
    click.echo(f"published {done.reference}, which {compared}{' and is signed' if done.signed else ''}", err=True)
    click.echo(f"{done.reference.registry}/{done.reference.repository}@{done.digest}")


@click.command()
@click.argument("reference")
@click.argument("folder", type=_PATH)
@click.option("--key", type=_PATH, help="A public key with which it has to be signed.")
@click.option("--force", is_flag=True, help="Replace the component that is in the folder.")
@_common
@reporting
def pull(reference: str, folder: Path, **options: Any) -> None:
    """Fetch a component from a registry into a folder, after all digests have been compared.

    REFERENCE is HOST/NAME, HOST/NAME:VERSION or HOST/NAME@sha256:…; without either it is the highest release.
    """
    from runner.registry.reference import parse

    with _needing_extra():
        from runner.registry import pulling

    done = pulling.pull(pulling.Pulling(parse(reference), folder, **options))
    lock = f"agrees with {done.lock}" if done.lock else "there is no wit.lock to hold it against"
    signed = "signed with the key" if done.verified else "no signature was asked for"
    click.echo(f"{folder}: {done.manifest.name} from {done.reference}; {lock}; {signed}", err=True)
    click.echo(f"{done.reference.registry}/{done.reference.repository}@{done.digest}")


@click.command()
@click.argument("name", type=_PATH)
@reporting
def key(name: Path) -> None:
    """Make a pair of keys: NAME.key to publish with, under the password COSIGN_PASSWORD if it is set; NAME.pub."""
    with _needing_extra():
        from runner.registry.keys import write_pair

    for path in write_pair(name):
        click.echo(path)
