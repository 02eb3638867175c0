"""What the Runner gives to components beside WASI (package `runner:host`): readiness, logging, TLS.

The interfaces are those of `wit/deps/runner-host`; sockets, clocks and streams are `witgen.wasi`'s.
"""

from runner.host.logging import Logging
from runner.host.readiness import PollSet, Readiness
from runner.host.signal import Signal
from runner.host.streams import Inlet, Outlet
from runner.host.tls import Tls

__all__ = ["Inlet", "Logging", "Outlet", "PollSet", "Readiness", "Signal", "Tls"]
