"""``witgen inspect``: what is in a component, a binary WIT package or a core module.

`gather` reads a file, `as_text` shows it to people and `as_document` to machines (``docs/inspect.md`` has the form);
`wit_text` is the file's worlds as WIT. What binaries mean, `witgen.binary` knows, and what stamps are,
`witgen.contract`.
"""

from witgen.inspect.document import as_document
from witgen.inspect.gather import gather, wit_text
from witgen.inspect.text import as_text

__all__ = ["as_document", "as_text", "gather", "wit_text"]
