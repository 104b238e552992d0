"""The catalog and the registered kinds as tables."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.units import format_count, format_declared
from gpt_zoo.config.base import did_you_mean
from gpt_zoo.cost import model_cost
from registry.kinds import Kind, Parameter
from registry.variant import Variant


def matching(names: Iterable[str], pattern: str | None) -> list[str]:
    """The names that fit a pattern with wildcards; one without fits what holds it. None fits everything."""
    wild = "*" if pattern is None else pattern if set(pattern) & set("*?[") else f"*{pattern}*"
    return [name for name in names if fnmatchcase(name, wild)]


def no_match(what: str, pattern: str, names: Iterable[str]) -> ValueError:
    """The error to raise where no name fits: it knows the nearest name, or beginning of names."""
    known = dict.fromkeys(part for name in names for part in (name, name.partition("-")[0]))
    advice = did_you_mean(pattern.strip("*"), known)
    if not advice.startswith("did you mean"):
        advice = "`gpt-zoo list` shows all"
    return ValueError(f"no {what} matches `{pattern}`; {advice}")


def variant_rows(variants: Iterable[Variant]) -> list[dict[str, Any]]:
    """What the list says of each variant, as plain data."""
    return [
        {
            "name": variant.name,
            "params": model_cost(variant.config).params,
            "description": variant.description,
            "source": variant.source,
        }
        for variant in variants
    ]


def render_variants(variants: Sequence[dict[str, Any]], stories: dict[str, str], console: Console) -> None:
    """Print the rows of variants, and the experiments with what they say about themselves."""
    if variants:
        table = _table("variant", "params", "description")
        table.columns[1].justify = "right"
        for row in variants:
            table.add_row(row["name"], format_count(row["params"]), row["description"])
        console.print(table)
    if variants and stories:
        console.print()
    if stories:
        table = _table("experiment", "description")
        for name, story in stories.items():
            table.add_row(name, story)
        console.print(table)


def render_kinds(kinds: Sequence[Kind], console: Console) -> None:
    """Print each kind with its parameters and where it comes from."""
    table = _table("slot", "kind", "parameters", "source")
    table.columns[1].no_wrap = True
    for kind in kinds:
        source = f"{kind.source} (plug-in {kind.plugin})".strip() if kind.plugin else kind.source
        table.add_row(kind.slot, kind.name, ", ".join(map(_parameter, kind.parameters)), source)
    console.print(table)


def _table(*heads: str) -> Table:
    table = Table(*heads, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.columns[0].no_wrap = True  # a name is for copying
    return table


def _parameter(parameter: Parameter) -> str:
    return parameter.name if parameter.required else f"{parameter.name}={format_declared(parameter.default)}"
