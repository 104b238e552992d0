"""Drawing without global state, and SVG that stands on its own: same input, same bytes, nothing to fetch."""

import io
import re
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.printable import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, GREY, LIGHT, INK, RULE = "#0072B2", "#9AA3AD", "#C9CFD6", "#24292F", "#E3E6EA"
# Okabe and Ito 2008, without its yellow, which is too pale on white, and its black.
COLOURS = (BLUE, "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A4FB5")
# Whatever sans-serif the reader has: DejaVu, which the layout is measured in, is wider than all of these.
FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', sans-serif"
# A line behind a label must not strike it out.
HALO = "; paint-order: stroke; stroke: #fff; stroke-width: 3px; stroke-linejoin: round"
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "text.color": INK,
    "text.parse_math": False,
    # Text stays text: sharp, small, selectable, and in any script the reader's fonts know.
    "svg.fonttype": "none",
    "svg.hashsalt": "gpt-zoo",
}
DOTS_PER_INCH = 72  # of SVG: so that one point is one pixel


@dataclass(frozen=True)
class Picture:
    """A drawn figure.

    Args:
        name: Stem of its file.
        title: What it shows, in a few words.
        description: The same for who cannot see it.
        svg: The drawing, an `<svg>` element.
    """

    name: str
    title: str
    description: str
    svg: str


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw in the style of the report, whatever the person's matplotlibrc says, and put theirs back."""
    import matplotlib.style

    with warnings.catch_warnings(), matplotlib.style.context(["default", STYLE]):
        # A script that DejaVu lacks is measured as boxes and drawn by the reader's own fonts.
        warnings.filterwarnings("ignore", message=".*Glyph .* missing")
        yield


def new_figure(width: int, height: int) -> "Figure":
    """An empty figure of a size in pixels, outside of pyplot."""
    from matplotlib.figure import Figure

    return Figure(
        figsize=(width / DOTS_PER_INCH, height / DOTS_PER_INCH), dpi=DOTS_PER_INCH, layout="constrained"
    )


def shortened(text: str, limit: int = 28) -> str:
    """Text that fits a figure and that XML can hold: no control characters, at most `limit` long."""
    text = printable(" ".join(text.split()))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def draw_picture(
    figure: "Figure", name: str, title: str, description: str, tips: Mapping[str, Sequence[str]] | None = None
) -> Picture:
    """Turn a figure into SVG for a page or a file.

    Args:
        figure: Drawn under `figure_style`.
        name: Stem of the file; also keeps the ids of several pictures on one page apart.
        title: What it shows.
        description: The same for who cannot see it.
        tips: Texts for the markers of the collection with a gid, in their order, shown under the pointer.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    # The text is matplotlib's own, without entities beyond XML's five.
    root = ElementTree.fromstring(buffer.getvalue())
    for parent in root.iter():
        for child in [child for child in parent if _local(child.tag) in ("metadata", "style")]:
            parent.remove(child)
    for gid, texts in (tips or {}).items():
        _add_tips(root, gid, texts)
    for element in root.iter():
        _localise(element, f"{name}-")
    root.attrib |= {
        # Points are pixels of the page here: the type is as large as that around it.
        **{side: root.attrib[side].removesuffix("pt") for side in ("width", "height")},
        "xmlns": "http://www.w3.org/2000/svg",
        "role": "img",
        "aria-label": shortened(description, 500),
        "style": "stroke-linejoin: round; stroke-linecap: butt",
    }
    return Picture(name, title, description, ElementTree.tostring(root, encoding="unicode"))


def _add_tips(root: ElementTree.Element, gid: str, texts: Sequence[str]) -> None:
    group = next((element for element in root.iter() if element.get("id") == gid), None)
    markers = [] if group is None else [element for element in group.iter() if _local(element.tag) == "use"]
    for marker, text in zip(markers, texts, strict=True):
        title = ElementTree.SubElement(marker, "title")
        title.text = shortened(text, 200)


def _localise(element: ElementTree.Element, prefix: str) -> None:
    """Plain names instead of namespaces, ids of this picture alone, the reader's fonts."""
    element.tag = _local(element.tag)
    for name, value in list(element.attrib.items()):
        del element.attrib[name]
        if name == "id":
            value = prefix + value
        elif _local(name) == "href":
            value = value.replace("#", f"#{prefix}", 1)
        elif name == "clip-path":
            value = value.replace("url(#", f"url(#{prefix}")
        elif name == "style":
            value = re.sub(r"'DejaVu Sans'(, [^;]*)?", FONTS, value)
            value += HALO if _local(element.tag) == "text" else ""
        element.attrib[_local(name)] = value


def _local(name: str) -> str:
    return name.rpartition("}")[2]
