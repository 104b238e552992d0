"""A comparison for people: a table a shape, and what is compared with what."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from experiments.bench.contenders import OURS, RECIPE
from experiments.bench.peers import PEERS
from experiments.bench.result import Found, ShapeResult
from experiments.bench.rounds import Spread
from experiments.bench.setup import Setup
from experiments.bench.shapes import BYTES
from experiments.costs.written import write_table
from experiments.doctor_table import format_flops_rate
from experiments.units import MISSING, format_bytes, format_seconds, plural

HEADS = {
    "library": "left",
    "setting": "left",
    "params": "right",
    "tok/s": "right",
    "ours is faster by": "right",
    "of peak": "right",
    "loss": "right",
    "memory": "right",
    "of leanest": "right",
    "warm-up": "right",
}


def render_bench(results: Sequence[ShapeResult], setup: Setup, output: str) -> str:
    """As text that ends with a line break.

    Args:
        output: `table`, `markdown` or `json`.
    """
    if output == "json":
        told: dict[str, Any] = {**asdict(setup), "shapes": [result.to_data() for result in results]}
        return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    shapes = "\n\n".join(_render_shape(result, output) for result in results)
    head = f"# Training speed\n\n`{setup.command}`\n\n" if output == "markdown" else ""
    return f"{head}{shapes}\n\n{_notes(results, setup)}\n"


def _render_shape(result: ShapeResult, output: str) -> str:
    config, shape = result.shape.config, result.shape
    title = (
        f"{shape.name}: {plural(config.n_layers, 'layer')} of {config.emb_dim}, {config.n_heads} heads, "
        f"context {config.context_length}, vocabulary {config.vocab_size:,}, {shape.batch_size} sequences a "
        f"step, {plural(result.steps, 'step')} a turn."
    )
    rows = [_row(result, found) for found in result.found]
    table = write_table(rows, list(HEADS), list(HEADS.values()), output)
    lines = [("## " if output == "markdown" else "") + title, table, _limit(result), *_summary(result)]
    # Markdown joins lines that stand together to one paragraph.
    return ("\n\n" if output == "markdown" else "\n").join(lines)


def _row(result: ShapeResult, found: Found) -> list[str]:
    name = [found.contender.library, found.contender.setting]
    if found.failed is not None:
        return [*name, "failed", *[""] * (len(HEADS) - 3)]
    share = result.products.share(found, result.flops_per_token)
    ratio = result.memory_ratio(found)
    ours = result.fastest(OURS)
    return [
        *name,
        f"{found.params:,}" if found.params is not None else MISSING,
        MISSING if found.rate is None else f"{found.rate.median:,.0f}",
        MISSING if found is ours else _times(result.speed_over(found)),
        MISSING if share is None else f"{share.median:.0%}",
        MISSING if found.loss is None else f"{found.loss:.3f}",
        format_bytes(found.memory_bytes),
        MISSING if ratio is None else f"{ratio:.2f} x",
        format_seconds(found.warm_up_seconds),
    ]


def _times(ratio: Spread | None) -> str:
    return MISSING if ratio is None else f"{ratio.median:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"


def _limit(result: ShapeResult) -> str:
    rates = [
        f"{format_flops_rate(median(of.values()))} in {name}"
        for name, of in (("float32", result.products.float32), ("bfloat16", result.products.bfloat16))
    ]
    return f"Large products reach {' and '.join(rates)}, measured in the same rounds."


def _summary(result: ShapeResult) -> list[str]:
    """What the table says, in a line for each peer; and what it cannot."""
    lines = [
        line
        for in_float32, how in ((False, "at its best"), (True, "in float32"))
        for peer in result.peers()
        if (line := _comparison(result, peer, in_float32, how))
    ]
    lines += [f"{f.contender.label} computes by: {f.means}." for f in result.found if f.means]
    lines += [f"{name} is left out: {reason}." for name, reason in result.refused.items()]
    lines += [f"{f.contender.label} failed: {f.failed}." for f in result.found if f.failed is not None]
    return lines


def _comparison(result: ShapeResult, peer: str, in_float32: bool, how: str) -> str:
    """Our fastest setting beside a peer's; empty where one of them has none, or no round has both."""
    ours, theirs = result.fastest(OURS, in_float32), result.fastest(peer, in_float32)
    ratio = None if theirs is None else result.speed_over(theirs, in_float32)
    if ours is None or theirs is None or ratio is None:
        return ""
    setting = theirs.contender.setting
    return f"{ours.contender.label}: {_times(ratio)} times the speed of {peer} {how} ({setting})."


def _notes(results: Sequence[ShapeResult], setup: Setup) -> str:
    libraries = dict.fromkeys(found.contender.library for result in results for found in result.found)
    notes = [
        f"{setup.machine}, {plural(setup.threads, 'thread')}, {setup.device}; "
        + ", ".join(f"{name} {version}" for name, version in setup.versions.items() if version)
        + ".",
        f"{plural(setup.rounds, 'round')}, in each of which all take a turn; only one computes at a time. "
        "Medians of the rounds; in brackets the smallest and the largest ratio of a round.",
        f"All read the same batches of {setup.text}, and step AdamW at {RECIPE.peak_learning_rate:g} with "
        f"betas {RECIPE.betas[0]:g} and {RECIPE.betas[1]:g}, decay {RECIPE.weight_decay:g}, gradients "
        f"clipped at {RECIPE.gradient_clip:g}.",
        "As it comes: float32, eager, AdamW as torch's default has it. Other settings of peers: the fused "
        "kernel of AdamW too.",
        "Of peak: model FLOP/s, attention in full, as a share of large products in the same precision.",
        "Loss: the mean of the last steps, in nats; each library from the weights that it draws itself.",
        "Memory: the highest of the process beyond its libraries.",
    ]
    if any(result.shape.config.vocab_size > BYTES for result in results):
        notes.append(f"Where the vocabulary is larger, the text uses its first {BYTES} ids alone.")
    differing = [
        f"{name}: {peer.differs}"
        for name in libraries
        if (peer := PEERS.get(name)) is not None and peer.differs != "nothing"
    ]
    if differing:
        notes.append(f"What is not as in our model: {'; '.join(differing)}.")
    return "\n".join(f"- {note}" for note in notes)
