"""The command line of the Runner: options, printing, exit codes. Each command imports by itself what it calls.

Exit codes: 0 fine, 1 the input is wrong, 2 usage. What `serve` serves has its own module for each protocol.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from runner.accounts.command import accounts
from runner.baseline.command import baseline
from runner.ftp.command import ftp
from runner.http.command import http
from runner.http.fetch import fetch
from runner.options import flag_options, reporting
from runner.registry.command import key, publish, pull
from runner.rollout.command import rollout
from witgen import __version__

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="runner")
def main() -> None:
    """Run components under least privilege, behind feature flags."""


@main.command("flags")
@reporting
@flag_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def flags_command(flags: dict[str, Any], as_json: bool) -> None:
    """Show what each feature flag is, and where that was said."""
    from runner.flags import KNOWN, Flags

    found = Flags.load(**flags)
    if as_json:
        document = {
            name: {"value": value, "source": found.source(name), "help": KNOWN[name].help}
            for name, value in found.items()
        }
        click.echo(json.dumps({"environment": found.environment, "flags": document}, indent=2))
        return
    width = max(map(len, found))
    for name, value in found.items():
        click.echo(f"{name:<{width}}  {'on' if value else 'off':<3}  {found.source(name)}")


@main.command("inspect")
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--lock", type=click.Path(path_type=Path), help="The lock to hold it against; the nearest wit.lock.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@reporting
def inspect_command(manifest: Path, lock: Path | None, as_json: bool) -> None:
    """Say whether a component may be loaded, and what it would be granted.

    MANIFEST is a component.toml, or the folder that has it. Nothing of the component runs.
    """
    from runner.describe import document, text
    from runner.loading import inspect
    from runner.services import offered

    found = inspect(manifest, lock=lock, offered=offered())
    click.echo(json.dumps(document(found), indent=2) if as_json else text(found))


@main.command("manifest")
@click.argument("component", type=click.Path(path_type=Path))
@reporting
def manifest_command(component: Path) -> None:
    """Print the draft of a manifest for a stamped COMPONENT, which grants all that it imports, and no address."""
    from runner.drafting import draft

    click.echo(draft(component), nl=False)


@main.group("serve")
def serve_group() -> None:
    """Serve a protocol."""


serve_group.add_command(ftp)
serve_group.add_command(http)
main.add_command(fetch)
main.add_command(rollout)
for command in (publish, pull, key):
    main.add_command(command)
main.add_command(accounts)
main.add_command(baseline)

if __name__ == "__main__":
    main()
