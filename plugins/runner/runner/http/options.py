"""What a worker of HTTP is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from runner.http.config import HttpConfig, HttpLimits, HttpTimeouts
from runner.worker_options import WorkerOptions

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options(WorkerOptions):
    """All that a worker is told, as it can be passed on to another process. Paths are text."""

    app: str | None = None
    interface: str = "auto"
    folder: str = "."
    config: HttpConfig = field(default_factory=HttpConfig)

    @classmethod
    def loads(cls, text: str) -> Options:
        """From JSON."""
        data = json.loads(text)
        config = data.pop("config")
        limits, timeouts = HttpLimits(**config.pop("limits")), HttpTimeouts(**config.pop("timeouts"))
        data["certificate"] = None if data["certificate"] is None else tuple(data["certificate"])
        return cls(config=HttpConfig(limits=limits, timeouts=timeouts, **config), **data)
