"""The table of times: what is estimated, and below it what was measured here."""

from collections.abc import Sequence
from dataclasses import asdict

from experiments.costs.time import ESTIMATED, MEASURED, TimeRow
from experiments.costs.written import write_rows, write_table
from experiments.units import MISSING, format_count, format_seconds, plural

HEADS = (
    "",
    "variant",
    "device",
    "precision",
    "step",
    "time",
    "tokens/s",
    "bound by",
    "FLOP/byte",
    "fastest",
    "slowest",
    "of peak",
)
PHASES = {"prefill": "prefill", "decode": "decode", "training": "train"}
ESTIMATES = """\
Estimated: the least time by the roofline of the device, products at its peak or bytes at its bandwidth,
whichever takes longer, as its maker publishes them or, for this machine, as `gpt-zoo doctor` measured them;
real steps take longer. A prefill reads B x T tokens up to the logits of the next, a decode step adds the T-th
token to B sequences, a training step is forward, backward and AdamW. Bytes: weights once (of experts as many
as are expected), KV cache, the residual stream between layers; in training weights four times, gradients,
optimizer state and what is saved for the backward pass twice each."""
MEASUREMENTS = """\
Measured here: the median of {steps} steps after {warm_up} that were not counted, {threads}, random weights.
Of peak: the estimate for this machine as a share of it."""
BUSY = """\
More than 100%: this machine is now faster than when it was measured, busy perhaps; `gpt-zoo doctor --again`
measures anew."""


def render_times(rows: Sequence[TimeRow], output: str) -> str:
    """The rows as text that ends with a line break.

    Args:
        rows: What is estimated before what was measured.
        output: `table`, `markdown`, `json` or `csv`.
    """
    if output in ("json", "csv"):
        return write_rows([asdict(row) for row in rows], output)
    cells = [_cells(row) for row in rows]
    used = [index for index in range(len(HEADS)) if index < 7 or any(row[index] for row in cells)]
    table = write_table(
        [[row[index] for index in used] for row in cells],
        [HEADS[index] for index in used],
        ["left" if index < 5 or HEADS[index] == "bound by" else "right" for index in used],
        output,
    )
    return f"{table}\n\n{_notes(rows)}\n"


def _cells(row: TimeRow) -> list[str]:
    return [
        row.basis,
        row.variant,
        row.device,
        row.precision,
        PHASES[row.phase],
        f"{'≥ ' if row.bound == 'unknown' else ''}{format_seconds(row.seconds)}",
        f"{'≤ ' if row.bound == 'unknown' else ''}{format_count(row.tokens_per_second)}",
        _bound(row),
        "" if row.flops_per_byte is None else format_count(row.flops_per_byte),
        "" if row.least_seconds is None else format_seconds(row.least_seconds),
        "" if row.most_seconds is None else format_seconds(row.most_seconds),
        "" if row.share_of_peak is None else f"{row.share_of_peak:.0%}",
    ]


def _bound(row: TimeRow) -> str:
    if row.bound is None:
        return ""
    bound = "bandwidth or compute" if row.bound == "unknown" else row.bound
    return bound if row.fits else f"{bound}; does not fit"


def _notes(rows: Sequence[TimeRow]) -> str:
    shapes = dict.fromkeys((row.batch_size, row.context_length) for row in rows)
    told = ", ".join(f"B = {batch}, T = {time}" for batch, time in shapes)
    notes = [f"{told}."]
    if any(row.basis == ESTIMATED for row in rows):
        notes.append(ESTIMATES)
    if any(row.bound == "unknown" for row in rows):
        notes.append(
            "Bandwidth or compute: the maker publishes no FLOP/s, products may take longer than bytes."
        )
    if any(row.fits is False for row in rows):
        notes.append("Does not fit: the step is predicted to need more memory than the device has.")
    if measured := [row for row in rows if row.basis == MEASURED]:
        from gpt_zoo.measure.time import WARM_UP

        threads = plural(measured[0].threads or 0, "thread")
        notes.append(
            MEASUREMENTS.format(steps=measured[0].steps or MISSING, warm_up=WARM_UP, threads=threads)
        )
    if any((row.share_of_peak or 0) > 1 for row in rows):
        notes.append(BUSY)
    return "\n".join(notes)
