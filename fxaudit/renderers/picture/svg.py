"""From Graphviz' SVG to ours: tooltips that browsers show, dark mode, no markup that a strict policy forbids."""

from __future__ import annotations

import copy
import html
import re
from xml.etree import ElementTree

from fxaudit.renderers.picture.palette import MODULE_FILL, color_class, dark_rules
from fxaudit.renderers.text.wording import inert

__all__ = ["MONOSPACE", "SANS", "inlined", "painted", "styled", "without_layout"]

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
SANS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
MONOSPACE = "'Courier New', 'Liberation Mono', 'DejaVu Sans Mono', monospace"

_STYLE = (
    f"text{{font-family:{SANS}}}.mono{{font-family:{MONOSPACE}}}a{{cursor:pointer}}"
    "a:hover .outline,a:focus .outline{stroke-width:4}"
    f"@media screen and (prefers-color-scheme:dark){{{dark_rules('svg')}}}"
)


def styled(raw: str, caption: str = "") -> str:
    """Graphviz' SVG as a document of its own, with its style sheet inside."""
    root = _cleaned(raw, caption)
    for text in root.iter(f"{{{SVG}}}text"):
        text.attrib.pop("data-frame", None)
    style = ElementTree.Element(f"{{{SVG}}}style")
    style.text = _STYLE
    root.insert(1, style)
    root.set("font-family", SANS)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + _text(root) + "\n"


def inlined(raw: str, caption: str = "", *, links: bool = True) -> str:
    """Graphviz' SVG as a piece of an HTML page whose style sheet holds the rules; `links`: boxes can be clicked."""
    root = _cleaned(raw, caption)
    if not links:
        for link in root.iter(f"{{{SVG}}}a"):
            link.tag = f"{{{SVG}}}g"
            link.attrib.pop("href", None)
    root.set("class", "picture")
    root.set("role", "group")
    root.set("aria-label", inert(caption))
    return _text(root)


def painted(fill: str, line: str = "none") -> str:
    """The attributes that give a shape palette colours, which dark mode overrides."""
    named = [f"{prefix}{name}" for prefix, color in (("f", fill), ("s", line)) if (name := color_class(color))]
    return f'class="{" ".join(named)}" fill="{fill}" stroke="{line}"'


def without_layout(reason: str, source: str) -> str:
    """An SVG for the machine that cannot lay out: it says why, and carries the picture's DOT text."""
    lines = [reason, "", *source.splitlines()[:400]]
    rows = "".join(
        f'<text x="12" y="{24 + 16 * number}" font-family="monospace" font-size="12">{html.escape(line[:160])}</text>'
        for number, line in enumerate(line.replace("\t", "  ") for line in lines)
    )
    height = 40 + 16 * len(lines)
    return (
        f'<svg xmlns="{SVG}" width="900" height="{height}" viewBox="0 0 900 {height}">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{rows}</svg>'
    )


def _text(root: ElementTree.Element) -> str:
    # Written without prefixes: registering the namespace would change ElementTree for the whole process.
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    root.set("xmlns", SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _cleaned(raw: str, caption: str) -> ElementTree.Element:
    # The text is what Graphviz just wrote; the declaration is dropped so that nobody is tempted to fetch the DTD.
    root = ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", raw, count=1).encode("utf-8"))
    for group in root.iter(f"{{{SVG}}}g"):
        _tidy_group(group)
    _lift_words(root)
    _lift_frame_titles(root)
    for element in root.iter():
        _tidy_element(element)
    title = ElementTree.Element(f"{{{SVG}}}title")
    title.text = inert(caption)
    root.insert(0, title)
    return root


def _tidy_group(group: ElementTree.Element) -> None:
    """Move the tooltip into `<title>`, the only kind that browsers show; keep links, drop anchors without one."""
    kind = (group.get("class") or "").split(" ")[0]
    if kind not in ("graph", "node", "edge", "cluster"):
        return
    title = group.find(f"{{{SVG}}}title")
    anchors = [child for child in group if child.tag == f"{{{SVG}}}g" and _anchor(child) is not None]
    tips = []
    for wrapper in anchors:
        anchor = _anchor(wrapper)
        if anchor is None:
            continue
        tips.append(anchor.get(f"{{{XLINK}}}title") or "")
        target = anchor.get(f"{{{XLINK}}}href")
        position = list(group).index(wrapper)
        group.remove(wrapper)
        # Of an arrow the words are the link: a link without words could not be read out.
        if target and (kind != "edge" or anchor.find(f".//{{{SVG}}}text") is not None):
            link = ElementTree.Element(f"{{{SVG}}}a", {"href": target})
            link.extend(list(anchor))
            group.insert(position, link)
        else:
            for offset, child in enumerate(list(anchor)):
                group.insert(position + offset, child)
    tip = next((tip for tip in tips if tip and tip != "<TABLE>"), "")
    if title is not None:
        if tip:
            title.text = tip
        else:
            group.remove(title)
    outline = next((e for e in group.iter() if e.tag in _SHAPES and e.get("stroke") != "transparent"), None)
    if outline is not None and kind in ("node", "cluster"):
        outline.set("class", "outline")


def _lift_words(root: ElementTree.Element) -> None:
    """Draw the words at arrows over all arrows and with a halo: Graphviz leads other arrows across them."""
    graph = root.find(f"{{{SVG}}}g")
    if graph is None:
        return
    for edge in [group for group in graph.iter(f"{{{SVG}}}g") if (group.get("class") or "").startswith("edge")]:
        words = [part for part in edge if part.tag in (f"{{{SVG}}}a", f"{{{SVG}}}text")]
        texts = [text for part in words for text in part.iter(f"{{{SVG}}}text")]
        if not texts:
            continue
        over = ElementTree.SubElement(graph, f"{{{SVG}}}g", {"class": edge.get("class") or ""})
        if (tip := edge.find(f"{{{SVG}}}title")) is not None:
            over.append(copy.copy(tip))
        for part in words:
            edge.remove(part)
            over.append(part)
        for text in texts:
            text.attrib.update(_HALO)


def _lift_frame_titles(root: ElementTree.Element) -> None:
    """Draw the titles of frames last and with a halo: Graphviz leads arrows across them."""
    graph = root.find(f"{{{SVG}}}g")
    if graph is None:
        return
    titles = ElementTree.Element(f"{{{SVG}}}g", {"class": "titles"})
    for frame in graph.iter(f"{{{SVG}}}g"):
        if (frame.get("class") or "").startswith("cluster"):
            texts = frame.findall(f"{{{SVG}}}text")
            for text in texts:
                frame.remove(text)
                text.attrib.update(_HALO)
                text.set("data-frame", frame.get("id") or "")
                titles.append(text)
    graph.append(titles)


_HALO = {"paint-order": "stroke", "stroke": MODULE_FILL, "stroke-width": "5", "stroke-linejoin": "round"}
_SHAPES = {f"{{{SVG}}}{name}" for name in ("path", "polygon", "ellipse", "polyline")}


def _anchor(wrapper: ElementTree.Element) -> ElementTree.Element | None:
    return wrapper.find(f"{{{SVG}}}a")


def _tidy_element(element: ElementTree.Element) -> None:
    """Name the palette's colours as classes, which dark mode overrides, and drop what the style sheet says anyway."""
    classes = [element.get("class") or ""]
    for attribute, prefix in (("fill", "f"), ("stroke", "s")):
        named = color_class(element.get(attribute) or "")
        if named is not None:
            classes.append(prefix + named)
    if (element.get("font-family") or "").startswith("Courier"):
        classes.append("mono")
    joined = " ".join(filter(None, classes))
    if joined:
        element.set("class", joined)
    element.attrib.pop("style", None)
    element.attrib.pop("font-family", None)
    # Leading blanks never occur, and trailing ones are padding.
    element.attrib.pop("{http://www.w3.org/XML/1998/namespace}space", None)
    if element.tag == f"{{{SVG}}}text" and element.text:
        element.text = element.text.rstrip("\xa0 ")
    element.tail = None
