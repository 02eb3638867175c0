"""Progress of work, durable: the contract `runner:progress` served by the Runner to itself and to components."""

from runner.progress.client import Client, Events, Subscription, Workbook
from runner.progress.database import StoreError
from runner.progress.service import Progress

__all__ = ["Client", "Events", "Progress", "StoreError", "Subscription", "Workbook"]
