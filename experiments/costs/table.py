"""Costs of variants side by side, for people and for programs."""

from collections.abc import Mapping
from dataclasses import asdict

from experiments.costs.written import write_rows, write_table
from experiments.units import format_count, format_value
from gpt_zoo.cost.model import Cost

HEADS = {
    "context_length": "context",
    "params": "params",
    "params_active": "active",
    "params_non_embedding": "non-embedding",
    "flops_forward": "forward",
    "flops_forward_causal": "causal",
    "flops_forward_windowed": "windowed",
    "flops_train_per_token": "train/token",
    "flops_train_step": "train/step",
    "flops_train": "run",
    "flops_train_recomputed": "recomputed",
    "kv_cache_bytes_per_token": "KV/token",
}
LEGEND = """\
FLOPs: 2 a multiply-accumulate, matrix multiplications only; forward of one sequence, attention in full
or causal{windows}; training is 3 x forward. KV cache in 2-byte numbers."""


def render_costs(costs: Mapping[str, Cost], output: str, tokens: int | None = None) -> str:
    """The costs by name of the variant, as text that ends with a line break.

    Args:
        output: `table`, `markdown`, `json` (a list of objects with exact integers) or `csv` (the same).
        tokens: Of a run whose FLOPs are shown too.
    """
    rows = [{"variant": name, **asdict(cost), **_run(cost, tokens)} for name, cost in costs.items()]
    if output in ("json", "csv"):
        return write_rows(rows, output)
    fields = [field for field in HEADS if field in rows[0] and _tells(field, costs)]
    cells = [[row["variant"], *(_cell(field, row[field]) for field in fields)] for row in rows]
    heads = ["variant", *(HEADS[field] for field in fields)]
    table = write_table(cells, heads, ["left", *["right"] * len(fields)], output)
    return f"{table}\n\n{_note(costs, fields, tokens)}\n"


def _run(cost: Cost, tokens: int | None) -> dict[str, int]:
    if tokens is None:
        return {}
    return {
        "tokens": tokens,
        "flops_train": cost.flops_train(tokens),
        "flops_train_recomputed": cost.flops_train_recomputed(tokens),
    }


def _tells(field: str, costs: Mapping[str, Cost]) -> bool:
    """Whether a column says what no other does: only a mixture of experts has parameters that a token does
    not use, only some models have windows."""
    if field == "context_length":
        return len({cost.context_length for cost in costs.values()}) > 1
    other = {"params_active": "params", "flops_forward_windowed": "flops_forward_causal"}.get(field)
    return other is None or any(getattr(cost, field) != getattr(cost, other) for cost in costs.values())


def _cell(field: str, value: int) -> str:
    return str(value) if field == "context_length" else format_value(field, value, trim=True)


def _note(costs: Mapping[str, Cost], fields: list[str], tokens: int | None) -> str:
    length = next(iter(costs.values())).context_length
    sequences = "that fill each context" if "context_length" in fields else f"of {length} tokens"
    windows = ", or in windows" if "flops_forward_windowed" in fields else ""
    note = f"Sequences {sequences}. {LEGEND.format(windows=windows)}"
    if tokens is not None:
        run = format_count(tokens, trim=True)
        note += f"\nRun: {run} tokens; recomputed: layers compute their inside again, 4 x forward for them."
    return note
