"""Where the time of training went: a bar an architecture, a piece a phase."""

from typing import TYPE_CHECKING

from experiments.labels import name_rows
from experiments.record import PHASES
from experiments.report.svg import COLOURS, LIGHT, Picture, draw_picture, figure_style, new_figure, shortened

if TYPE_CHECKING:
    import pandas as pd

WIDTH, ROW_HEIGHT, FRAME = 720, 26, 96
MOST_BARS = 15
TITLE = "Where the time of training went"
REST = "other"
"""The time of a training loop that is no phase's."""


def time_shares(summary: "pd.DataFrame") -> "pd.DataFrame":
    """The share of each phase, and of the rest, in the time of the training loop: a column a phase.

    The index is that of the architectures; without columns where none was clocked.
    """
    shares = summary[[f"{phase}_share" for phase in PHASES]].set_axis(list(PHASES), axis=1)
    if shares.isna().all(axis=None):
        return shares.iloc[:, :0]
    rest = (1 - shares.sum(axis=1)).clip(lower=0).where(shares.notna().any(axis=1))
    return shares.assign(**{REST: rest}).dropna(axis=1, how="all")


def time_bars(summary: "pd.DataFrame") -> "pd.DataFrame":
    """One row a phase of an architecture: name, phase, start and share (0 to 1), the fastest first."""
    import pandas as pd

    named = summary.assign(name=name_rows(summary))
    named = named.sort_values("tokens_per_second", ascending=False, kind="stable")
    shares = time_shares(named).dropna(how="all").fillna(0.0)
    starts = shares.cumsum(axis=1) - shares
    names = named["name"]
    rows = [
        (names[index], phase, starts[phase][index], shares[phase][index])
        for index in shares.index
        for phase in map(str, shares)
    ]
    return pd.DataFrame(rows, columns=["name", "phase", "start", "share"])


def draw_times(bars: "pd.DataFrame") -> list[Picture]:
    """One picture of the fastest architectures; nothing where no time was clocked."""
    if bars.empty:
        return []
    names = list(dict.fromkeys(bars["name"]))[:MOST_BARS]
    with figure_style():
        figure = new_figure(WIDTH, FRAME + ROW_HEIGHT * len(names))
        axes = figure.add_subplot()
        colours = iter(COLOURS)
        for phase, pieces in bars[bars["name"].isin(names)].groupby("phase", sort=False):
            places = [names.index(name) for name in pieces["name"]]
            colour = LIGHT if phase == REST else next(colours)
            axes.barh(
                places, pieces["share"], left=pieces["start"], height=0.62, color=colour, label=str(phase)
            )
        axes.set_yticks(range(len(names)), [shortened(name, 24) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        figure.legend(loc="outside upper left", ncols=bars["phase"].nunique(), frameon=False, fontsize=10)
        return [draw_picture(figure, "speed", TITLE, _describe(bars, names[0]))]


def _describe(bars: "pd.DataFrame", name: str) -> str:
    """The same for who cannot see it: the fastest in words."""
    pieces = bars[bars["name"] == name]
    told = ", ".join(f"{row['phase']} {row['share']:.0%}" for _, row in pieces.iterrows())
    return f"{TITLE}; {name}: {told}"
