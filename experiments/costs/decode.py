"""The cost of decoding against the length of the context, and where variants cross."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations

from experiments.costs.written import write_rows, write_table
from experiments.units import format_value
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.crossing import find_crossings
from gpt_zoo.cost.decode import DecodeCost, bends, decode_cost

QUANTITIES = {
    "kv_cache_bytes": "KV cache",
    "flops_per_token": "FLOPs a token",
    "bytes_read_per_token": "bytes read a token",
}
LEGEND = """\
Decoding the last token of a context, for {batch}. FLOPs: 2 a multiply-accumulate, matrix
multiplications only, with the keys that are seen. Bytes: numbers of 2 bytes; weights that are used, read once
for the batch, and the cache of a sequence."""


@dataclass(frozen=True)
class NamedCrossing:
    """The context length from which on `dearer` costs more than `cheaper`, as it did not before.

    Args:
        quantity: One of QUANTITIES.
        value: What `dearer` costs there.
    """

    quantity: str
    context_length: int
    dearer: str
    cheaper: str
    value: int


@dataclass(frozen=True)
class DecodeView:
    """Curves by name of the variant, at rising context lengths, and where they cross."""

    batch_size: int
    curves: dict[str, list[DecodeCost]]
    crossings: list[NamedCrossing]


def decode_view(
    configs: Mapping[str, GPTConfig], context_length: int | None = None, batch_size: int = 1
) -> DecodeView:
    """The costs at powers of two, up to the context of each variant.

    Args:
        context_length: Where the curves end; each variant's context unless given.

    Raises:
        ValueError: as for `model_cost`.
    """
    ends = {name: context_length or config.context_length for name, config in configs.items()}
    curves = {
        name: [decode_cost(config, length, batch_size) for length in _lengths(ends[name])]
        for name, config in configs.items()
    }
    crossings = [
        crossing
        for quantity in QUANTITIES
        for one, other in combinations(configs, 2)
        for crossing in _crossings(configs, one, other, quantity, min(ends[one], ends[other]), batch_size)
    ]
    return DecodeView(batch_size, curves, crossings)


def _lengths(end: int) -> list[int]:
    """1, 2, 4 ... and the end itself."""
    return sorted({2**power for power in range(end.bit_length())} | {end})


def _crossings(
    configs: Mapping[str, GPTConfig], one: str, other: str, quantity: str, end: int, batch_size: int
) -> Iterator[NamedCrossing]:
    def cost(name: str, length: int) -> int:
        value: int = getattr(decode_cost(configs[name], length, batch_size), quantity)
        return value

    lengths = {length for name in (one, other) for length in bends(configs[name]) if length < end} | {end}
    for found in find_crossings(partial(cost, one), partial(cost, other), lengths):
        dearer, cheaper = (other, one) if found.dearer else (one, other)
        value = cost(dearer, found.context_length)
        yield NamedCrossing(quantity, found.context_length, dearer, cheaper, value)


def render_decode(view: DecodeView, output: str) -> str:
    """The view as text that ends with a line break.

    Args:
        output: `table`, `markdown`; `csv`, a row for each variant and context length, without the crossings;
            or `json`, with them.
    """
    if output in ("csv", "json"):
        return _for_programs(view, output)
    blocks = [_table(view, quantity, output) for quantity in QUANTITIES]
    batch = "one sequence" if view.batch_size == 1 else f"{view.batch_size} sequences at once"
    if len(view.curves) > 1:
        blocks.append("\n".join(_tell_crossings(view.crossings)))
    return "\n\n".join([*blocks, LEGEND.format(batch=batch)]) + "\n"


def _for_programs(view: DecodeView, output: str) -> str:
    rows = [{"variant": name, **asdict(cost)} for name, curve in view.curves.items() for cost in curve]
    if output == "csv":
        return write_rows(rows, "csv")
    told = {
        "batch_size": view.batch_size,
        "curves": rows,
        "crossings": [asdict(one) for one in view.crossings],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _table(view: DecodeView, quantity: str, output: str) -> str:
    """One quantity: a row for each context length, a column for each variant."""
    values = {
        name: {cost.context_length: getattr(cost, quantity) for cost in curve}
        for name, curve in view.curves.items()
    }
    lengths = sorted({length for curve in values.values() for length in curve})
    rows = [
        [str(length), *(format_value(quantity, curve.get(length)) for curve in values.values())]
        for length in lengths
    ]
    title = f"{QUANTITIES[quantity]} at a context of"
    return write_table(rows, [title, *values], ["right"] * (1 + len(values)), output)


def _tell_crossings(crossings: Sequence[NamedCrossing]) -> Iterator[str]:
    for quantity, label in QUANTITIES.items():
        own = [crossing for crossing in crossings if crossing.quantity == quantity]
        for crossing in own:
            yield (
                f"{label}: from a context of {crossing.context_length} on, {crossing.dearer} costs more than "
                f"{crossing.cheaper}"
            )
        if not own:
            yield f"{label}: none crosses another"
