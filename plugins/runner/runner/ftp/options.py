"""What a worker of FTP is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from runner.ftp.config import FtpConfig, FtpLimits, FtpTimeouts
from runner.worker_options import WorkerOptions

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options(WorkerOptions):
    """All that a worker is told, as it can be passed on to another process. Paths are text."""

    root: str = "."
    accounts: str | None = None
    anonymous: bool = False
    sync: bool = True
    config: FtpConfig = field(default_factory=FtpConfig)

    @classmethod
    def loads(cls, text: str) -> Options:
        """From JSON."""
        data = json.loads(text)
        config = data.pop("config")
        limits, timeouts = FtpLimits(**config.pop("limits")), FtpTimeouts(**config.pop("timeouts"))
        for given, name in ((config, "greeting"), (config, "passive_ports"), (data, "certificate")):
            given[name] = None if given[name] is None else tuple(given[name])
        return cls(config=FtpConfig(limits=limits, timeouts=timeouts, **config), **data)
