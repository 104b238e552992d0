"""The health of a machine, and what it reaches, for people and for programs."""

import json
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from experiments.doctor import complaints
from experiments.units import MISSING, format_bytes, format_flops, plural

if TYPE_CHECKING:
    from experiments.tuning import Tuning
    from gpt_zoo.cost.roofline import AttentionTime

ATTENTION_LEGEND = """\
How many times as fast attention is written out as in one kernel, forward and backward, by context length;
– where it would lose by far. A training's `attention_backend: auto` writes out what gains 5%."""
LEGEND = """\
Medians of several runs: large matrix products; memory that is read, copied or added, whichever is
fastest. Balance: the FLOPs a byte from which on products take longer than memory, in float32 and bfloat16.
`gpt-zoo cost VARIANT --device this` estimates times from them, and trainings choose by them what `auto`
means. They are wrong if other programs ran meanwhile: `gpt-zoo doctor --again` measures anew."""


def render_health(health: dict[str, Any], devices: "list[Tuning]", output: str) -> str:
    """As text that ends with a line break.

    Args:
        health: As `experiments.doctor.examine` gives it.
        devices: What was measured of this machine, the fastest first.
        output: `table` or `json`.
    """
    if output == "json":
        told = {
            "health": health,
            "complaints": list(complaints(health)),
            "devices": [device.model_dump() for device in devices],
        }
        return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    facts = tabulate(_facts(health), tablefmt="plain", disable_numparse=True)
    heads = ["measured here", "float32", "bfloat16", "memory", "balance"]
    align = ("left", *["right"] * 4)
    rows = [_device_row(device) for device in devices]
    table = tabulate(rows, heads, "plain", colalign=align, disable_numparse=True)
    warnings = "".join(f"! {complaint}\n" for complaint in complaints(health))
    measured = f"{table}\n\n{devices[0].source.capitalize()}.\n{LEGEND}"
    attention = f"{_attention_table(devices)}\n\n{ATTENTION_LEGEND}"
    return f"{facts}\n\n{measured}\n\n{attention}\n" + (warnings and f"\n{warnings}")


def _facts(health: dict[str, Any]) -> list[list[str]]:
    packages = ", ".join(f"{name} {version or MISSING}" for name, version in health["packages"].items())
    cache = ", ".join(f"{name} {format_bytes(size)}" for name, size in health["cache_bytes"].items())
    used = plural(health["threads_used"], "thread")
    free, total = (format_bytes(health[name]) for name in ("free_memory_bytes", "memory_bytes"))
    return [
        ["Python", f"{health['python']} on {health['system']}"],
        ["packages", packages],
        ["processor", f"{health['processor']}, {plural(health['cores'] or 0, 'core')}, {used} used"],
        ["memory", f"{free} free of {total}"],
        ["disk", f"{format_bytes(health['free_disk_bytes'])} free for the cache"],
        ["cache", f"{health['cache']}: {cache or 'empty'}"],
    ]


def _device_row(device: "Tuning") -> list[str]:
    balances = [
        f"{rate / device.bandwidth_bytes_per_second:.1f}"
        for rate in (device.float32_flops_per_second, device.bfloat16_flops_per_second)
        if rate
    ]
    return [
        device.label,
        format_flops_rate(device.float32_flops_per_second),
        format_flops_rate(device.bfloat16_flops_per_second),
        format_bandwidth(device.bandwidth_bytes_per_second),
        f"{' and '.join(balances)} FLOP/B",
    ]


def _attention_table(devices: "list[Tuning]") -> str:
    """The gain of writing attention out: a row for each device, precision and kind of heads."""
    contexts = sorted({time.context_length for device in devices for time in device.attention})
    groups: dict[tuple[str, str, str], dict[int, AttentionTime]] = {}
    for device in devices:
        for time in device.attention:
            group = (device.device, time.precision, f"{time.heads} x {time.head_dim}")
            groups.setdefault(group, {})[time.context_length] = time
    rows = [
        [*group, *(f"{times[context].gain:.2f}" if context in times else MISSING for context in contexts)]
        for group, times in groups.items()
    ]
    heads = ["attention", "precision", "heads", *map(str, contexts)]
    align = ("left", "left", *["right"] * (1 + len(contexts)))
    return tabulate(rows, heads, "plain", colalign=align, disable_numparse=True)


def format_flops_rate(value: float | None) -> str:
    """`97.8 GFLOP/s`."""
    return MISSING if value is None else f"{format_flops(value)}/s"


def format_bandwidth(value: float) -> str:
    """`33.5 GB/s`: powers of ten, as makers tell it."""
    return f"{format_flops(value).removesuffix('FLOP')}B/s"
