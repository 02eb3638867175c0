"""Progress of work, durable: the contract `runner:progress` served by the Runner to itself and to components."""

from runner.progress.database import StoreError
from runner.progress.service import Events, Progress, Subscription, Workbook

__all__ = ["Events", "Progress", "StoreError", "Subscription", "Workbook"]
