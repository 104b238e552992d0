"""What fits into a given memory, variant by variant: the largest batch, the longest context."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from experiments.costs.fit_advice import Case, Use, advise
from experiments.costs.memory import DIVIDED_LEGEND, SHARDING_LABELS, MemoryQuestion
from experiments.costs.written import write_rows, write_table
from experiments.units import MISSING, format_bytes, plural
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.fit import fit_batch, fit_context
from gpt_zoo.cost.parallel import Sharding

USES: tuple[Use, ...] = ("training", "inference")
LEGEND = """\
Peaks of a device are predicted. What else is on it, such as the memory of libraries, takes room too. Lacking
is what one sequence more, or one token more of each, would need beyond what there is."""


@dataclass(frozen=True)
class FitRow:
    """The answer to one question.

    Args:
        use: What the memory is for.
        asked: Whether the largest batch of a device, or the longest context, is asked for.
        context_length: Of each sequence; the longest that fits, where that is asked.
        batch_size: Sequences of a device; the most that fit, where that is asked. 0 stands for none.
        whole_context: Whether the longest context is all that the model has.
        peak_bytes: Of what fits; of the least possible, where nothing does.
        next_bytes: The peak of one more, which does not fit; None if there can be no more, or nothing fits.
        advice: What would make it fit, where no sequence does.
    """

    variant: str
    use: Use
    sharding: Sharding
    devices: int
    asked: Literal["batch_size", "context_length"]
    context_length: int
    batch_size: int
    whole_context: bool
    available_bytes: int
    peak_bytes: int
    next_bytes: int | None
    advice: str = ""

    @property
    def largest(self) -> int:
        """What was asked for."""
        return self.batch_size if self.asked == "batch_size" else self.context_length


def fit_rows(
    configs: Mapping[str, GPTConfig], question: MemoryQuestion, available_bytes: int
) -> list[FitRow]:
    """Two rows each for training and inference of a variant, and as many for each way to divide it.

    Raises:
        ValueError: as for `training_memory` and `device_training`.
    """
    return [
        row
        for name, config in configs.items()
        for use in USES
        for row in _rows(name, Case(config, question, use, available_bytes))
    ]


def _rows(name: str, case: Case) -> Iterator[FitRow]:
    time, most, available = case.context_length, case.config.context_length, case.available_bytes
    for sharding in case.shardings:
        peak, told = case.peak(sharding), (name, case.use, sharding, case.question.count)
        fit = fit_batch(peak, available, time)
        # Where dividing more of it helps, the rows below show that.
        hopeless = not fit.largest and sharding == case.shardings[-1]
        sizes = (available, fit.peak_bytes, fit.next_bytes, advise(case) if hopeless else "")
        yield FitRow(*told, "batch_size", time, fit.largest, False, *sizes)
        batch = -(-case.question.step.batch_size // case.question.count)
        fit = fit_context(peak, available, batch, most)
        whole = fit.largest == most
        yield FitRow(
            *told, "context_length", fit.largest, batch, whole, available, fit.peak_bytes, fit.next_bytes
        )


def render_fit(
    configs: Mapping[str, GPTConfig], question: MemoryQuestion, available_bytes: int, output: str
) -> str:
    """What fits by name of the variant, as text that ends with a line break.

    Args:
        output: `table`, `markdown`, `json` (a list of objects, one a question) or `csv` (the same).
    """
    rows = fit_rows(configs, question, available_bytes)
    if output in ("json", "csv"):
        return write_rows([asdict(row) for row in rows], output)
    divided = question.devices is not None
    heads = ["variant", "use", *(["divided"] if divided else []), "number of", "largest"]
    words = len(heads) - 1
    heads += [*(["in all"] if divided else []), "peak", "left", "lacking for one more"]
    align = ["left"] * words + ["right"] * (len(heads) - words)
    cells = [_cells(row, divided) for row in rows]
    table = write_table(cells, heads, align, output)
    told = [f"{row.variant}, {row.use}: {row.advice}." for row in rows if row.advice]
    notes = [f"Into {format_bytes(available_bytes, trim=True)}. {question.setting()}", LEGEND]
    if divided:
        notes.append(DIVIDED_LEGEND.format(devices=plural(question.count, "device")))
    return "\n\n".join([table, *(["\n".join(told)] if told else []), "\n".join(notes)]) + "\n"


def _cells(row: FitRow, divided: bool) -> Sequence[str]:
    number_of = f"tokens of {plural(row.batch_size, 'sequence')}"
    in_all = MISSING
    if row.asked == "batch_size":
        number_of = f"sequences of {row.context_length:,} tokens"
        in_all = f"{row.devices * row.batch_size:,}" if row.largest else MISSING
    lacking = (row.next_bytes if row.largest else row.peak_bytes) or row.available_bytes
    lacks = lacking > row.available_bytes
    return [
        row.variant,
        row.use,
        *([SHARDING_LABELS[row.sharding]] if divided else []),
        number_of,
        f"{row.largest:,}{' (whole context)' if row.whole_context else ''}" if row.largest else "none",
        *([in_all] if divided else []),
        format_bytes(row.peak_bytes, trim=True) if row.largest else MISSING,
        format_bytes(row.available_bytes - row.peak_bytes, trim=True) if row.largest else MISSING,
        format_bytes(lacking - row.available_bytes, trim=True) if lacks else MISSING,
    ]
