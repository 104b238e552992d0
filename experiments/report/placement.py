"""Where labels go: beside their points, over nothing else, or nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

# From the point: right of it first, as one reads; below-left is where the front has nothing better.
DIRECTIONS = ((-1, -1), (1, 1), (0, -1), (-1, 0), (1, 0), (0, 1), (-1, 1), (1, -1))
HORIZONTAL = {-1: "right", 0: "center", 1: "left"}
VERTICAL = {-1: "top", 0: "center", 1: "bottom"}


@dataclass(frozen=True)
class Label:
    """A text for a point of the data."""

    x: float
    y: float
    text: str


def place_labels(
    axes: "Axes", labels: Sequence[Label], obstacles: Sequence[tuple[float, float]]
) -> list[str]:
    """Write as many labels as fit without touching points or each other; the first ones go first.

    The layout of the figure must be final.

    Args:
        axes: Where the points are drawn.
        labels: What to write, the most important first.
        obstacles: All points of the axes, in data coordinates.

    Returns:
        The texts that were written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.transforms import Bbox

    renderer: Any = FigureCanvasAgg(axes.figure).get_renderer()  # type: ignore[arg-type,no-untyped-call]
    inside = axes.get_window_extent(renderer)
    taken = [
        Bbox.from_bounds(x - 4, y - 4, 8, 8)
        for x, y in (axes.transData.transform(point) for point in obstacles)
    ]
    written = []
    for label in labels:
        text = _place(axes, label, renderer, inside, taken)
        if text is not None:
            taken.append(text)
            written.append(label.text)
    return written


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions apart until neighbours are `gap` apart, halfway up and down, from `low` to `high`.

    Where they cannot all fit, they are spaced evenly.
    """
    if not positions:
        return []
    count = len(positions)
    gap = min(gap, (high - low) / max(count - 1, 1))
    order = sorted(range(count), key=lambda index: positions[index])
    origin = [positions[index] for index in order]
    # One solution pushes everything up, the other down; halfway between them the distances hold as well.
    upwards = _push_down(_push_up(origin, gap, low), gap, high)
    downwards = _push_up(_push_down(origin, gap, high), gap, low)
    halfway = [(up + down) / 2 for up, down in zip(upwards, downwards, strict=True)]
    by_origin = dict(zip(order, halfway, strict=True))
    return [by_origin[index] for index in range(count)]


def _push_up(positions: Sequence[float], gap: float, low: float) -> list[float]:
    moved: list[float] = []
    for position in positions:
        moved.append(max(position, moved[-1] + gap if moved else low))
    return moved


def _push_down(positions: Sequence[float], gap: float, high: float) -> list[float]:
    return [-position for position in _push_up([-position for position in reversed(positions)], gap, -high)][
        ::-1
    ]


def _place(axes: "Axes", label: Label, renderer: Any, inside: "Bbox", taken: list["Bbox"]) -> "Bbox | None":
    for right, up in DIRECTIONS:
        distance = 5 if right and up else 7
        text = axes.annotate(
            label.text,
            (label.x, label.y),
            xytext=(right * distance, up * distance),
            textcoords="offset points",
            ha=HORIZONTAL[right],
            va=VERTICAL[up],
            fontsize=9,
            zorder=5,
        )
        box = text.get_window_extent(renderer)
        fits = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1
        if fits and not any(box.overlaps(other) for other in taken):
            return box
        text.remove()
    return None
