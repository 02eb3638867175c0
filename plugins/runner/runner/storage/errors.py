"""Why a storage does not do what it was asked to, in few words; the system's many numbers become these."""

from __future__ import annotations

import contextlib
import enum
import errno
from collections.abc import Iterator

__all__ = ["Reason", "StorageError", "telling"]


class Reason(enum.Enum):
    """The kinds of refusals. Each has the name that `refusal-reason` of ``component:ftp/control`` has for it."""

    NOT_FOUND = "there is no such file or directory"
    FORBIDDEN = "that is not allowed"
    ALREADY_EXISTS = "there is one already"
    NOT_EMPTY = "the directory is not empty"
    WRONG_KIND = "it is a directory and should be none, or the other way round"
    BAD_NAME = "the name is not allowed"
    BUSY = "somebody else has changed it"
    NO_SPACE = "the storage is full"
    QUOTA = "the share of the storage is used up"
    UNSUPPORTED = "the storage can't do this"
    STORAGE = "the storage failed"


class StorageError(Exception):
    """A refusal: its `reason`, and for people a text, which may be shown to clients."""

    def __init__(self, reason: Reason, message: str = "") -> None:
        super().__init__(message or reason.value)
        self.reason = reason


_REASONS = {
    errno.ENOENT: Reason.NOT_FOUND,
    errno.EACCES: Reason.FORBIDDEN,
    errno.EPERM: Reason.FORBIDDEN,
    errno.EROFS: Reason.FORBIDDEN,
    # Links in circles, and those that lead out.
    errno.ELOOP: Reason.FORBIDDEN,
    errno.EEXIST: Reason.ALREADY_EXISTS,
    errno.ENOTEMPTY: Reason.NOT_EMPTY,
    errno.ENOTDIR: Reason.WRONG_KIND,
    errno.EISDIR: Reason.WRONG_KIND,
    errno.EINVAL: Reason.BAD_NAME,
    errno.EILSEQ: Reason.BAD_NAME,
    errno.ENAMETOOLONG: Reason.BAD_NAME,
    errno.EBUSY: Reason.BUSY,
    errno.ETXTBSY: Reason.BUSY,
    errno.ENOSPC: Reason.NO_SPACE,
    errno.EFBIG: Reason.NO_SPACE,
    errno.EDQUOT: Reason.QUOTA,
    errno.EXDEV: Reason.UNSUPPORTED,
    errno.EOPNOTSUPP: Reason.UNSUPPORTED,
}


@contextlib.contextmanager
def telling() -> Iterator[None]:
    """Turns what the system and fsspec raise into `StorageError`."""
    try:
        yield
    except FileNotFoundError:
        # fsspec raises it, and the next ones, without a number.
        raise StorageError(Reason.NOT_FOUND) from None
    except FileExistsError:
        raise StorageError(Reason.ALREADY_EXISTS) from None
    except (NotADirectoryError, IsADirectoryError):
        raise StorageError(Reason.WRONG_KIND) from None
    except NotImplementedError:
        raise StorageError(Reason.UNSUPPORTED) from None
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, Reason.STORAGE)
        raise StorageError(reason) from error
