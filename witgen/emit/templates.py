"""The templates of a language, as jinja2 is to read them: they give code, so that nothing is escaped or guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from witgen.assets import template_root

__all__ = ["environment"]


def environment(language: str, filters: Mapping[str, Callable[..., str]]) -> Environment:
    """The templates of a language with its filters. Keep it: it keeps the templates compiled."""
    found = Environment(
        loader=FileSystemLoader(template_root() / language),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        extensions=["jinja2.ext.do"],
    )
    found.filters |= filters
    return found
