"""Costs of variants side by side, for people and for programs."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tabulate import tabulate

from experiments.units import format_value
from gpt_zoo.cost.model import Cost

HEADS = {
    "params": "params",
    "params_active": "active",
    "params_non_embedding": "non-embedding",
    "flops_forward": "forward",
    "flops_forward_causal": "causal",
    "flops_train_per_token": "train/token",
    "flops_train_step": "train/step",
    "kv_cache_bytes_per_token": "KV/token",
}
LEGEND = """\
FLOPs: 2 a multiply-accumulate, matrix multiplications only; forward of one sequence, attention in full
or causal; training is 3 x forward. KV cache in 2-byte numbers."""


def render_costs(costs: Mapping[str, Cost], output: str) -> str:
    """The costs by name of the variant, as text that ends with a line break.

    Args:
        output: `table`, `markdown`, `json` (a list of objects with exact integers) or `csv` (the same).
    """
    if output in ("json", "csv"):
        rows = [{"variant": name, **asdict(cost)} for name, cost in costs.items()]
        return json.dumps(rows, indent=1) + "\n" if output == "json" else _csv(rows)
    # Only a mixture of experts has parameters that a token does not use.
    sparse = any(cost.params_active != cost.params for cost in costs.values())
    shown = {field: head for field, head in HEADS.items() if sparse or field != "params_active"}
    lengths = sorted({cost.context_length for cost in costs.values()})
    if len(lengths) > 1:
        shown = {"context_length": "context", **shown}
    heads = ["variant", *shown.values()]
    cells = [[name, *(_cell(cost, field) for field in shown)] for name, cost in costs.items()]
    sequences = "that fill each context" if len(lengths) > 1 else f"of {lengths[0]} tokens"
    note = f"Sequences {sequences}. {LEGEND}"
    style = "github" if output == "markdown" else "plain"
    align = ("left", *["right"] * len(shown))
    return f"{tabulate(cells, heads, style, colalign=align, disable_numparse=True)}\n\n{note}\n"


def _cell(cost: Cost, field: str) -> str:
    if field == "context_length":
        return str(cost.context_length)
    return format_value(field, getattr(cost, field), trim=True)


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
