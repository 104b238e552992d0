"""Tables of trials for the terminal: what fits a hundred columns, the front in bold."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.labels import chosen_values, name_rows
from experiments.printable import printable
from experiments.units import format_value, is_missing

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

FRONT = "●"
NUMBERS = {
    "validation_loss": "loss",
    "bits_per_byte": "b/byte",
    "params": "params",
    "train_flops": "train",
    "memory_bytes": "memory",
    "learning_rate": "lr",
    "tokens_per_second": "tok/s",
    "mfu": "MFU",
    "seconds": "time",
}
STATUS_STYLES = {"complete": "green", "duplicate": "dim", "infeasible": "yellow", "stopped": "cyan"}
SHORT_STATUS = {"out_of_memory": "no memory"}


def render_trials(trials: "pd.DataFrame", console: "Console") -> None:
    """Print one line a training, those on the front with ● and in bold.

    Args:
        trials: From `experiments.tables.trials_table`.
        console: Where to.
    """
    from rich.text import Text

    several = trials["seed"].nunique() > 1
    numbers = _recorded(trials)
    table = _empty_table()
    table.add_column("")
    table.add_column("trial", justify="right", no_wrap=True)
    if several:
        table.add_column("seed", justify="right", no_wrap=True)
    table.add_column("variant", overflow="fold", ratio=1)
    table.add_column("status", no_wrap=True)
    for name in numbers:
        table.add_column(NUMBERS[name], justify="right", no_wrap=True)
    for chosen, (_, row) in zip(chosen_values(trials, bare_words=True), trials.iterrows(), strict=True):
        status = str(row["status"])
        cells = [
            FRONT if row["on_front"] else "",
            str(row["trial"]),
            *([str(row["seed"])] if several else []),
            chosen or str(row["variant"]),
            Text(SHORT_STATUS.get(status, status), style=STATUS_STYLES.get(status, "red")),
            *(compact(name, row[name]) for name in numbers),
        ]
        table.add_row(*map(_plain, cells), style="bold" if row["on_front"] else "")
    console.print(table)


def render_front(summary: "pd.DataFrame", console: "Console") -> None:
    """Print one line an architecture on the front, the best in the first objective first.

    Args:
        summary: From `experiments.tables.summary_table`.
        console: Where to.
    """
    named = summary.assign(name=name_rows(summary), chosen=chosen_values(summary, bare_words=True))
    front = named[named["on_front"]]
    if front.empty:
        console.print(
            "No variant is on the front: that takes a completed training with every objective recorded."
        )
        return
    numbers = _recorded(front)
    table = _empty_table()
    table.add_column("variant", overflow="fold")
    if (front["chosen"] != "").any():
        table.add_column("chosen", overflow="fold", ratio=1)
    confirmed = bool((front["n_confirmed"] > 0).any())
    if confirmed:
        table.add_column("searched", justify="right", no_wrap=True)
    for name in numbers:
        table.add_column(NUMBERS[name], justify="right", no_wrap=True)
    if (front["n_seeds"] > 1).any():
        table.add_column("seeds", justify="right", no_wrap=True)
    for _, row in front.iterrows():
        cells = [str(row["name"]), *([row["chosen"]] if (front["chosen"] != "").any() else [])]
        cells += [compact("searched_loss", row["searched_loss"])] if confirmed else []
        cells += [_with_spread(name, row) for name in numbers]
        cells += [str(row["n_seeds"])] if (front["n_seeds"] > 1).any() else []
        table.add_row(*map(_plain, cells))
    console.print(table)


def compact(name: str, value: object) -> str:
    """A recorded number as short as a column of the terminal wants it: 3.40T, 512MiB, 4:05."""
    if "bytes" in name and isinstance(value, int | float) and not is_missing(value):
        value = _whole(value)
    if name == "seconds" and isinstance(value, float) and value >= 59.95:
        minutes, seconds = divmod(round(value), 60)
        return (
            f"{minutes}:{seconds:02d}"
            if minutes < 60
            else f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
        )
    return format_value(name, value, trim="bytes" in name).removesuffix("FLOP").replace(" ", "")


def _whole(value: float) -> float:
    """Bytes without a fraction of their unit, from ten of it."""
    unit = 1024.0 ** max(int(math.log(max(value, 1), 1024)), 0)
    return round(value / unit) * unit if value >= 10 * unit else value


def _with_spread(name: str, row: "pd.Series[Any]") -> str:
    deviation = row["validation_loss_std"]
    text = compact(name, row[name])
    return text if name != "validation_loss" or is_missing(deviation) else f"{text} ± {deviation:.3f}"


def _recorded(table: "pd.DataFrame") -> Sequence[str]:
    """What is known of any row; a learning rate only where it is not that of all."""
    known = [name for name in NUMBERS if name in table and table[name].notna().any()]
    return [name for name in known if name != "learning_rate" or table[name].nunique() > 1]


def _empty_table() -> "Table":
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))


def _plain(cell: object) -> "Text":
    """Text that rich takes as it is: no markup in square brackets, no control characters."""
    from rich.text import Text

    if isinstance(cell, Text):
        return cell
    return Text(printable(str(cell)))
