"""What every worker is told, in a form that goes from one process to another. Importing it costs nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

__all__ = ["WorkerOptions"]


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What workers of all protocols are told. Paths are text."""

    component: str | None = None
    lock: str | None = None
    flags: str | None = None
    environment: str | None = None
    overrides: Mapping[str, bool] = field(default_factory=dict)
    certificate: tuple[str, str] | None = None
    progress: str | None = None
    trace: bool = False
    level: str = "info"
    readable: bool = False
    #: The descriptor of a pipe for what a rollout wants to know (`runner.rollout.vitals`).
    vitals: int | None = None

    def dumps(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))
