"""The one style of WIT text: `format_source` lays a file out anew, and changes nothing that it says.

It works on the words of the file and the comments between them, never on what they mean: words stay in their order, and
a comment stays between the same two words, so that it documents what it documented. The style is described in
``docs/formatting.md``.
"""

from __future__ import annotations

from witgen.fmt.layout import format_source

__all__ = ["format_source"]
