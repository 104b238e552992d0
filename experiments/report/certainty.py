"""How sure the ranking is: what the seeds say, and what they cannot."""

import math
from typing import TYPE_CHECKING, Any

from experiments.labels import name_rows
from experiments.units import plural

if TYPE_CHECKING:
    import pandas as pd

# Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom; few seeds make a wide interval.
STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)
ONE_SEED = (
    "Every architecture was trained with one seed only. Another seed would give another loss, and nothing "
    "here says how different: differences smaller than seed noise mean nothing, and two rows that are close "
    "must not be ranked. Train the front again with three or more seeds before relying on its order."
)
WINNER = (
    "The best of many looks better than it is, because chance helped to choose it: the more architectures "
    "were compared, the more so. These are also short trainings; the order may change with a longer budget."
)


def describe_certainty(trials: "pd.DataFrame", summary: "pd.DataFrame") -> list[str]:
    """Paragraphs on seeds per architecture, seed noise, the lead of the best, and seeds that were lost."""
    if summary.empty:
        return ["Nothing was trained to the end, so nothing can be said about any architecture."]
    if (summary["n_seeds"] <= 1).all():
        return [ONE_SEED, *_lost_seeds(trials, summary), WINNER]
    fewest, most = int(summary["n_seeds"].min()), int(summary["n_seeds"].max())
    seeds = plural(most, "seed") if fewest == most else f"{fewest} to {most} seeds"
    paragraphs = [
        f"Each architecture was trained with {seeds}. Losses are means over them; the ± is the standard "
        "deviation of one training."
    ]
    single = int((summary["n_seeds"] <= 1).sum())
    if single:
        paragraphs.append(
            f"{plural(single, 'architecture')} of {len(summary)} had one seed only: how much chance is in "
            "those losses is not known, and differences smaller than seed noise mean nothing."
        )
    return [*paragraphs, *_noise(summary), *_lost_seeds(trials, summary), WINNER]


def seed_noise(summary: "pd.DataFrame") -> tuple[float, int]:
    """The standard deviation of the validation loss over seeds, pooled over architectures, in nats per token.

    Returns:
        The deviation and its degrees of freedom; NaN and 0 where no architecture has two seeds.
    """
    repeated = summary[summary["validation_loss_std"].notna()]
    freedom = (repeated["n_seeds"] - 1).astype(float)
    if not freedom.sum():
        return math.nan, 0
    variance = float((repeated["validation_loss_std"] ** 2 * freedom).sum() / freedom.sum())
    return math.sqrt(variance), int(freedom.sum())


def smallest_difference(summary: "pd.DataFrame") -> float:
    """What two mean losses must differ by to be more than chance (95 %), in nats per token, or NaN."""
    deviation, freedom = seed_noise(summary)
    seeds = float(summary["n_seeds"].median())
    return _quantile(freedom) * deviation * math.sqrt(2 / seeds) if freedom else math.nan


def _noise(summary: "pd.DataFrame") -> list[str]:
    deviation, freedom = seed_noise(summary)
    if not freedom:
        return []
    seeds = float(summary["n_seeds"].median())
    text = (
        f"Pooled over all architectures, one training varies by {deviation:.3f} nats/token (standard "
        f"deviation over seeds, {plural(freedom, 'degree')} of freedom). For two architectures with "
        f"{seeds:g} seeds each, a difference in mean loss under about "
        f"{smallest_difference(summary):.3f} nats/token is within chance (95 %)."
    )
    return [text, *_lead(summary, deviation, freedom)]


def _lead(summary: "pd.DataFrame", deviation: float, freedom: int) -> list[str]:
    ranked = summary.assign(name=name_rows(summary)).dropna(subset=["validation_loss"])
    if len(ranked) < 2:
        return []
    first, second = (row for _, row in ranked.nsmallest(2, "validation_loss").iterrows())
    gap = float(second["validation_loss"] - first["validation_loss"])
    error = deviation * math.sqrt(1 / _seeds(first) + 1 / _seeds(second))
    verdict = "more than" if gap > _quantile(freedom) * error else "no more than"
    return [
        f"The lowest mean loss, that of {first['name']}, is {gap:.3f} nats/token below the next, "
        f"{second['name']}: {verdict} chance explains."
    ]


def _lost_seeds(trials: "pd.DataFrame", summary: "pd.DataFrame") -> list[str]:
    """A mean over the seeds that survived flatters an architecture that others did not survive."""
    broken = trials[trials["status"].isin(["diverged", "out_of_memory", "failed"])]
    lost = summary[summary["config_hash"].isin(broken["config_hash"])]
    if lost.empty:
        return []
    names = ", ".join(
        name for name, kept in zip(name_rows(summary), summary.index.isin(lost.index), strict=True) if kept
    )
    return [f"Some seeds of {names} did not finish; the mean over those that did flatters them."]


def _seeds(row: "pd.Series[Any]") -> int:
    return max(int(row["n_seeds"]), 1)


def _quantile(freedom: int) -> float:
    return STUDENT[freedom - 1] if freedom <= len(STUDENT) else 2.2 if freedom <= 20 else 2.0
