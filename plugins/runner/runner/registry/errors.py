"""How a registry says no, in one line."""

from __future__ import annotations

import json

from runner.errors import RunnerError
from witgen.diagnostics import printable

__all__ = ["RegistryError"]

_LONGEST = 300


class RegistryError(RunnerError):
    """A registry refused something, sent something wrong, or can't be reached. `status` is that of HTTP, 0 for none."""

    def __init__(self, registry: str, message: str, status: int = 0) -> None:
        super().__init__(f"{registry}: {printable(message[:_LONGEST])}")
        self.status = status

    @classmethod
    def of_answer(cls, registry: str, what: str, status: int, body: bytes) -> RegistryError:
        """What an answer says; its body is that of the distribution specification, section "Error Codes"."""
        try:
            said = "; ".join(
                f"{item.get('code', '')} {item.get('message', '')}".strip() for item in json.loads(body)["errors"]
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            said = ""
        if not said:
            said = _MEANINGS.get(status, "")
        return cls(registry, f"{what}: answered with {status}" + (f": {said}" if said else ""), status)


_MEANINGS = {
    401: "credentials are needed, or these are not accepted",
    403: "these credentials don't suffice",
    404: "there is no such thing",
    413: "it is too large for the registry",
    429: "too many requests",
}
