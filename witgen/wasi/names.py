"""Host names as text: which are well formed, in the one spelling by which they are compared and looked up.

It knows syntax alone (RFC 1123, section 2.1; IDNA as Python's codec ``idna`` has it), and asks nobody for addresses.
"""

from __future__ import annotations

import re

__all__ = ["domain_name", "is_below"]

#: A name of the DNS in text without its last dot (RFC 1035, section 2.3.4: 255 bytes on the wire).
_LONGEST = 253
#: Underscores are not for hosts, but hosts have them.
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
#: A name whose last label looks like a number is an address that was written wrongly, or in a form of old.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def domain_name(text: str) -> str:
    """A host name in lower-case ASCII without a dot at its end. Raises ValueError if it can't be one."""
    name = text.removesuffix(".")
    if len(name) > _LONGEST:
        raise ValueError(f"a name of {len(name)} characters is too long")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError(f"the name {text!r} has no form in ASCII: {error}") from None
        name = name.removesuffix(".")
    name = name.lower()
    labels = name.split(".")
    if len(name) > _LONGEST or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(f"{text!r} is not a host name")
    if _NUMBER.fullmatch(labels[-1]):
        raise ValueError(f"{text!r} is neither a host name nor an address")
    return name


def is_below(name: str, pattern: str) -> bool:
    """Whether a name is what a pattern means: ``*.a.b`` all names that end in ``.a.b``, any other the name itself."""
    return name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern
