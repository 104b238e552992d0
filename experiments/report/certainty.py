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
    "were compared, the more so."
)
SHORT = "These are short trainings; the order may change with a longer budget."


def describe_certainty(trials: "pd.DataFrame", summary: "pd.DataFrame") -> list[str]:
    """Paragraphs on seeds per architecture, seed noise, the lead of the best, and seeds that were lost."""
    if summary.empty:
        return ["Nothing was trained to the end, so nothing can be said about any architecture."]
    if (summary["n_seeds"] <= 1).all():
        return [ONE_SEED, *_lost_seeds(trials, summary), f"{WINNER} {SHORT}"]
    if (summary["n_confirmed"] > 0).any():
        return [*_confirmed(summary), *_noise(summary), *_lost_seeds(trials, summary), SHORT]
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
    return [*paragraphs, *_noise(summary), *_lost_seeds(trials, summary), f"{WINNER} {SHORT}"]


def winners_curse(summary: "pd.DataFrame") -> tuple[float, float, int]:
    """By how much the losses that the search saw were too low, in nats per token.

    Returns:
        The mean difference of confirmed and searched loss, half the width of its 95 % interval (NaN for a
        single architecture), and the architectures that were confirmed.
    """
    differences = (summary["confirmed_loss"] - summary["searched_loss"]).dropna()
    count = len(differences)
    if count < 2:
        return float(differences.mean()), math.nan, count
    return (
        float(differences.mean()),
        _quantile(count - 1) * float(differences.std()) / math.sqrt(count),
        count,
    )


def _confirmed(summary: "pd.DataFrame") -> list[str]:
    confirmed = summary[summary["n_confirmed"] > 0]
    fewest, most = int(confirmed["n_confirmed"].min()), int(confirmed["n_confirmed"].max())
    seeds = plural(most, "fresh seed") if fewest == most else f"{fewest} to {most} fresh seeds"
    rest = len(summary) - len(confirmed)
    others = f" The other {rest} have the losses that they were searched with." if rest else ""
    paragraphs = [
        f"{plural(len(confirmed), 'architecture')} that came to stand on the front "
        f"{'was' if len(confirmed) == 1 else 'were'} trained again with {seeds}, which had no part in "
        "choosing them. Their losses are means over those alone, with the standard deviation of one training."
        + others,
        *_curse(summary),
    ]
    unsure = int((summary["on_front"] & (summary["n_confirmed"] == 0)).sum())
    if unsure:
        paragraphs.append(
            f"{plural(unsure, 'member')} of the front {'is' if unsure == 1 else 'are'} not confirmed: chance "
            "helped to choose, so that losses look lower than they are."
        )
    return paragraphs


def _curse(summary: "pd.DataFrame") -> list[str]:
    """The winner's curse as it was measured, and whom it had brought onto the front."""
    mean, width, count = winners_curse(summary)
    if not count:
        return []
    interval = "" if math.isnan(width) else f" (95 %: {mean - width:+.3f} to {mean + width:+.3f})"
    said = "higher" if mean >= 0 else "lower"
    text = (
        f"The best of many looks better than it is. Here it is measured: with fresh seeds, the losses of "
        f"{plural(count, 'confirmed architecture')} are {abs(mean):.3f} nats/token {said} on average than "
        f"those that the search saw{interval}."
    )
    names = dict(zip(summary.index, name_rows(summary), strict=True))
    left = [names[row] for row in summary.index[summary["was_on_front"] & ~summary["on_front"]]]
    entered = [names[row] for row in summary.index[~summary["was_on_front"] & summary["on_front"]]]
    moved = [
        f"{', '.join(who)} {'has' if len(who) == 1 else 'have'} {verb} the front"
        for who, verb in ((left, "left"), (entered, "entered"))
        if who
    ]
    if not moved:
        return [f"{text} The front has the same members as before."]
    return [f"{text} Through confirmation, {' and '.join(moved)}."]


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
    seeds = _usual_seeds(summary)
    return _quantile(freedom) * deviation * math.sqrt(2 / seeds) if freedom else math.nan


def _noise(summary: "pd.DataFrame") -> list[str]:
    deviation, freedom = seed_noise(summary)
    if not freedom:
        return []
    seeds = _usual_seeds(summary)
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


def _usual_seeds(summary: "pd.DataFrame") -> float:
    """Of the architectures that are compared: those that were confirmed, if any were."""
    confirmed = summary[summary["n_confirmed"] > 0]
    return float((summary if confirmed.empty else confirmed)["n_seeds"].median())


def _seeds(row: "pd.Series[Any]") -> int:
    return max(int(row["n_seeds"]), 1)


def _quantile(freedom: int) -> float:
    return STUDENT[freedom - 1] if freedom <= len(STUDENT) else 2.2 if freedom <= 20 else 2.0
