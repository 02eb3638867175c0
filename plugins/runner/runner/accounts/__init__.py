"""Who may log in: accounts from a file, with hashed passwords."""

from runner.accounts.accounts import Accounts
from runner.accounts.file import Account, parse

__all__ = ["Account", "Accounts", "parse"]
