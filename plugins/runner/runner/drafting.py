"""The first draft of a manifest: what a component's stamp and own types say, for a person to cut down and complete."""

from __future__ import annotations

from pathlib import Path

from witgen import binary
from witgen.contract.stamp import read_stamp
from witgen.contract.verification import own_digests
from witgen.diagnostics import WitError

__all__ = ["draft"]


def draft(component: Path) -> str:
    """A manifest in TOML that grants a component all that it imports, interface by interface, and no address.

    Raises `WitError` for what is no component, or has no stamp to say what its world is.
    """
    try:
        definition = binary.decode(component.read_bytes())
        own, stamp = own_digests(definition), read_stamp(definition)
    except OSError as error:
        raise WitError.at(str(component), f"can't be read: {(error.strerror or '').lower()}") from None
    except binary.BinaryError as error:
        raise WitError.at(str(component), str(error)) from None
    if stamp is None:
        raise WitError.at(str(component), "is not stamped with its contract: `witgen build` and `witgen stamp` do it")
    name = stamp.world.partition("@")[0].rpartition("/")[2]
    version = stamp.world.partition("@")[2] or "0.1.0"
    lines = [f'name = "{name}"', f'version = "{version}"', f'world = "{stamp.world}"']
    lines.append(f'digest = "{stamp.digests.digest}"')
    imports = sorted({full.partition("@")[0] for full, item in own.imports.items() if full and item.functions})
    lines += ["capabilities = [", *(f'    "{item}",' for item in imports), "]"]
    if component.name != name.replace("-", "_") + ".wasm":
        lines.append(f'file = "{component.name}"')
    lines += ["", "[interfaces]"]
    sides = {**stamp.digests.imports, **stamp.digests.exports}
    lines += [f'"{full}" = "{item.digest}"' for full, item in sorted(sides.items()) if ":" in full]
    return "\n".join(lines) + "\n"
