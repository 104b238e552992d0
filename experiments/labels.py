"""What rows of a table are called where people read them."""

import re
from typing import TYPE_CHECKING, Any

from experiments.tables import searched_columns
from experiments.units import is_missing
from registry.costing.table import PARAMETER

if TYPE_CHECKING:
    import pandas as pd


WORD = re.compile(r"(?!(?:true|false|null|none|nan|inf)$)[a-z][a-z_]+[0-9a-z_]*", re.IGNORECASE)
"""What tells by itself what it is about, as no number, truth value or nothing does."""


def name_rows(table: "pd.DataFrame") -> list[str]:
    """A name for each row: its variant in a comparison, `trial 7` in a search.

    A variant name that several architectures share gets the trial number beside it.
    """
    searched = searched_columns(table)
    from_search = table[searched].notna().any(axis=1) if searched else [False] * len(table)
    shared = table.groupby("variant")["config_hash"].nunique()
    names = []
    for (_, row), chosen in zip(table.iterrows(), from_search, strict=True):
        trial, variant = f"trial {row['trial']}", str(row["variant"])
        if chosen or not variant:
            names.append(trial)
        else:
            names.append(f"{variant} ({trial})" if shared[variant] > 1 else variant)
    return names


def chosen_values(table: "pd.DataFrame", bare_words: bool = False) -> list[str]:
    """The values that a search chose for each row, compact: `emb_dim=128 n_layers=4`.

    Args:
        bare_words: Leave out the key of a word, where space is short: `rotary` says as much as
            `position=rotary`.
    """
    headings = short_headings(table)

    def name_one(heading: str, value: Any) -> str:
        text = format_chosen(value)
        return text if bare_words and WORD.fullmatch(text) else f"{heading}={text}"

    return [
        " ".join(
            name_one(heading, row[name]) for name, heading in headings.items() if not is_missing(row[name])
        )
        for _, row in table.iterrows()
    ]


def short_headings(table: "pd.DataFrame") -> dict[str, str]:
    """The columns of searched values, each with the shortest end of its key path that is its own.

    A kind is told by its slot: `attention.kind` is `attention`.
    """
    names = searched_columns(table)
    paths = [name.removeprefix(PARAMETER).removesuffix(".kind") for name in names]
    leaves = [path.rpartition(".")[2] for path in paths]
    return {
        name: leaf if leaves.count(leaf) == 1 and not leaf.isdigit() else path
        for name, path, leaf in zip(names, paths, leaves, strict=True)
    }


def format_chosen(value: Any) -> str:
    """A chosen value with at most four digits after a point."""
    if is_missing(value):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
