"""How errors of the system are told to components: `errno` to the `error-code` of `wasi:filesystem/types`."""

from __future__ import annotations

import errno
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from witgen.wasi.bindings import host

__all__ = ["error_code", "telling"]

Code = host.TypesErrorCode

P = ParamSpec("P")
R = TypeVar("R")

#: What is not here is `io`, as is an error without a number.
_CODES = {
    errno.EACCES: Code.ACCESS,
    errno.EAGAIN: Code.WOULD_BLOCK,
    errno.EALREADY: Code.ALREADY,
    errno.EBADF: Code.BAD_DESCRIPTOR,
    errno.EBUSY: Code.BUSY,
    errno.EDEADLK: Code.DEADLOCK,
    errno.EDQUOT: Code.QUOTA,
    errno.EEXIST: Code.EXIST,
    errno.EFBIG: Code.FILE_TOO_LARGE,
    errno.EILSEQ: Code.ILLEGAL_BYTE_SEQUENCE,
    errno.EINPROGRESS: Code.IN_PROGRESS,
    errno.EINTR: Code.INTERRUPTED,
    errno.EINVAL: Code.INVALID,
    errno.EIO: Code.IO,
    errno.EISDIR: Code.IS_DIRECTORY,
    errno.ELOOP: Code.LOOP,
    errno.EMLINK: Code.TOO_MANY_LINKS,
    errno.EMSGSIZE: Code.MESSAGE_SIZE,
    errno.ENAMETOOLONG: Code.NAME_TOO_LONG,
    errno.ENODEV: Code.NO_DEVICE,
    errno.ENOENT: Code.NO_ENTRY,
    errno.ENOLCK: Code.NO_LOCK,
    errno.ENOMEM: Code.INSUFFICIENT_MEMORY,
    errno.ENOSPC: Code.INSUFFICIENT_SPACE,
    errno.ENOTDIR: Code.NOT_DIRECTORY,
    errno.ENOTEMPTY: Code.NOT_EMPTY,
    errno.ENOTRECOVERABLE: Code.NOT_RECOVERABLE,
    errno.ENOTSUP: Code.UNSUPPORTED,
    errno.EOPNOTSUPP: Code.UNSUPPORTED,
    errno.ENOSYS: Code.UNSUPPORTED,
    errno.ENOTTY: Code.NO_TTY,
    errno.ENXIO: Code.NO_SUCH_DEVICE,
    errno.EOVERFLOW: Code.OVERFLOW,
    errno.EPERM: Code.NOT_PERMITTED,
    errno.EPIPE: Code.PIPE,
    errno.EROFS: Code.READ_ONLY,
    errno.ESPIPE: Code.INVALID_SEEK,
    errno.ETXTBSY: Code.TEXT_FILE_BUSY,
    errno.EXDEV: Code.CROSS_DEVICE,
    # The process has no descriptors left: of what there is to say this comes closest.
    errno.EMFILE: Code.INSUFFICIENT_MEMORY,
    errno.ENFILE: Code.INSUFFICIENT_MEMORY,
}


def error_code(error: OSError) -> host.TypesErrorCode:
    """What a component is told of an error."""
    return _CODES.get(error.errno or 0, Code.IO)


def telling(function: Callable[P, R]) -> Callable[P, R]:
    """The function so that it raises `host.TypesErrorCodeException` in place of `OSError`."""

    @functools.wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except OSError as error:
            raise host.TypesErrorCodeException(error_code(error)) from error

    return told
