"""The sentences of an audit, which terminal and page share."""

from experiments.audit.content import Audit, Count, Extreme, Time
from experiments.units import format_count, format_seconds, format_value, plural

HEADS = {
    "params": "params",
    "params_active": "active",
    "flops_forward": "forward",
    "train_flops": "training",
    "kv_cache_bytes": "KV cache",
    "predicted_memory_bytes": "memory",
    "steps": "steps",
}


def say_size(audit: Audit) -> str:
    """How many points there are, and how many of them are any good."""
    things = "variant" if audit.comparison else "point"
    of = ""
    if audit.sampled:
        size = "an endless space" if audit.size is None else f"{audit.size:,} points"
        of = f", drawn by lot from {size}"
    of = f"{things}{'' if audit.examined == 1 else 's'}{of}"
    return (
        f"{audit.examined:,} {of}: {audit.feasible.examined:,} can "
        f"be trained, {audit.infeasible.examined:,} break a constraint, {audit.invalid.examined:,} are no "
        f"valid config. Those that can be trained are {plural_models(audit.distinct)}."
    )


def plural_models(number: int) -> str:
    """`1 different model`, `2 different models`."""
    return f"{number:,} different {'model' if number == 1 else 'models'}"


def say_count(count: Count, sampled: bool) -> str:
    """A number of points, and their share; in a sample with its interval and what it means for the space."""
    share = say_share(count.share)
    if not sampled:
        return f"{count.examined:,} ({share})"
    told = f"{count.examined:,} ({share}, {say_share(count.low)} to {say_share(count.high)})"
    return told if count.estimate is None else f"{told}, about {format_count(count.estimate)} of the space"


def say_share(share: float) -> str:
    """`12.3 %`; what is not quite nothing or all is not told as if it were."""
    percent = 100 * share
    if 0 < percent < 0.05:
        return "< 0.1 %"
    if 99.95 <= percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %".replace(".0 %", " %")


def say_costs(extreme: Extreme) -> str:
    """The costs of a point in one line."""
    return ", ".join(
        f"{HEADS[name]} {format_value(name, extreme.costs[name])}" for name in told_costs(extreme)
    )


def told_costs(extreme: Extreme) -> list[str]:
    """The names of the costs that say something: only a mixture of experts has parameters that idle."""
    dense = extreme.costs.get("params") == extreme.costs.get("params_active")
    return [name for name in extreme.costs if not (dense and name == "params_active")]


def say_time(time: Time) -> str:
    """The estimate, with its interval and what it counts."""
    return (
        f"{plural(time.trainings, 'training')} take about {format_seconds(time.seconds)}, most likely "
        f"{format_seconds(time.low)} to {format_seconds(time.high)}: an estimate from "
        f"{plural(len(time.timings), 'point')} trained for a moment."
    )
