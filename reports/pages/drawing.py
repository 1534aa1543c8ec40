"""An SVG drawing under construction. ElementTree escapes whatever it is given; colours come from the page's style."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from markupsafe import Markup

from targets.visible import visible_line


class Drawing:
    """``width`` and ``height`` in units that are pixels where it is shown in its own size."""

    def __init__(self, width: int, name: str, title: str, text: str) -> None:
        self.width, self.height = width, 0
        self._name = name
        self._root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
        self._root.set("aria-labelledby", f"{name}-t {name}-d")
        self._add("title", "", id=f"{name}-t").text = visible_line(title)
        self._add("desc", "", id=f"{name}-d").text = visible_line(text)

    def hatch(self, name: str) -> str:
        """A pattern of lines, so that what it fills is known without its colour; what to fill with."""
        defs = self._add("defs", "")
        pattern = ET.SubElement(defs, "pattern", id=f"{self._name}-{name}", width="5", height="5")
        pattern.set("patternUnits", "userSpaceOnUse")
        pattern.set("patternTransform", "rotate(45)")
        ET.SubElement(pattern, "rect", {"width": "5", "height": "5", "class": f"{name}-back"})
        ET.SubElement(pattern, "rect", {"width": "2", "height": "5", "class": f"{name}-line"})
        return f"url(#{self._name}-{name})"

    def rect(self, kind: str, x: float, y: float, width: float, height: float, fill: str | None = None) -> None:
        """A filled box."""
        more = {} if fill is None else {"fill": fill}
        self._add("rect", kind, x=_n(x), y=_n(y), width=_n(max(width, 0.5)), height=_n(height), **more)

    def line(self, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """A straight line."""
        self._add("line", kind, x1=_n(x1), y1=_n(y1), x2=_n(x2), y2=_n(y2))

    def path(self, kind: str, d: str, fill: str | None = None) -> None:
        """A path, its data as SVG has it."""
        if d:
            self._add("path", kind, d=d, **({} if fill is None else {"fill": fill}))

    def text(self, kind: str, x: float, y: float, words: str, anchor: str = "start") -> None:
        """A line of text with its baseline at ``y``."""
        self._add("text", kind, **{"x": _n(x), "y": _n(y), "text-anchor": anchor}).text = visible_line(words)

    def dot(self, kind: str, x: float, y: float, radius: float) -> None:
        """A filled circle."""
        self._add("circle", kind, cx=_n(x), cy=_n(y), r=_n(radius))

    def done(self) -> Markup:
        """The drawing as it stands in a page."""
        self._root.set("viewBox", f"0 0 {self.width} {self.height}")
        return Markup(ET.tostring(self._root, encoding="unicode"))  # noqa: S704  # ElementTree has escaped it

    def _add(self, tag: str, kind: str, **given: str) -> ET.Element:
        return ET.SubElement(self._root, tag, {**({"class": kind} if kind else {}), **given})


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
