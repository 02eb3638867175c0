"""Pairs of bars as SVG, each pair on a scale of its own: old is compared with new, not one row with another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias
from xml.etree import ElementTree

__all__ = ["Bar", "plot"]

#: A title, the two values, and how one is written.
Bar: TypeAlias = tuple[str, float, float, Callable[[float], str]]

_COLOURS = ("#8a8f98", "#2f6fde")
_TITLE, _LENGTH, _VALUE = 330, 300, 110
_BAR, _GAP, _MARGIN = 11, 8, 16
_ROW = 2 * _BAR + _GAP
_STYLE = "font-family: system-ui, sans-serif; font-size: 11px; fill: #24292f"


def plot(bars: Sequence[Bar], names: tuple[str, str]) -> str:
    """The document. `names` is what the two sides are called."""
    width, height = 2 * _MARGIN + _TITLE + _LENGTH + _VALUE, 3 * _MARGIN + _ROW * len(bars) + _BAR
    size = {"width": str(width), "height": str(height), "viewBox": f"0 0 {width} {height}"}
    root = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "style": _STYLE, **size})
    _rectangle(root, 0, 0, width, height, "#ffffff")
    for side, name in enumerate(names):
        x = _MARGIN + _TITLE + 90 * side
        _rectangle(root, x, _MARGIN, _BAR, _BAR, _COLOURS[side])
        _text(root, x + _BAR + 5, _MARGIN + _BAR - 1, name)
    for number, (title, old, new, write) in enumerate(bars):
        y = 2 * _MARGIN + _BAR + number * _ROW
        _text(root, _MARGIN + _TITLE - 8, y + _BAR + 3, title, anchor="end")
        most = max(old, new) or 1
        for side, value in enumerate((old, new)):
            length = max(1.0, _LENGTH * value / most)
            _rectangle(root, _MARGIN + _TITLE, y + side * _BAR, length, _BAR - 1, _COLOURS[side])
            _text(root, _MARGIN + _TITLE + length + 5, y + (side + 1) * _BAR - 2, write(value))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _rectangle(root: ElementTree.Element, x: float, y: float, width: float, height: float, colour: str) -> None:
    place = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{width:.1f}", "height": f"{height:g}"}
    ElementTree.SubElement(root, "rect", {**place, "fill": colour})


def _text(root: ElementTree.Element, x: float, y: float, content: str, anchor: str = "start") -> None:
    found = ElementTree.SubElement(root, "text", {"x": f"{x:.1f}", "y": f"{y:g}", "text-anchor": anchor})
    found.text = content
