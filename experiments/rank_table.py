"""How early the ranking of architectures shows: the losses part of the way against those at the end."""

import math
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from experiments.front import rows_to_judge_by
from experiments.record import Status
from experiments.tables import Source, curves_table, read_source, trials_table

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 0.03
"""Share of a budget by which the points of two curves may lie apart: budgets are whole steps."""
FEWEST = 3
"""Architectures without which there is no ranking to speak of."""
FEWEST_FOR_INTERVAL = 5
VARIANCE = 0.437
"""Of the inverse hyperbolic tangent of Kendall's tau, times n - 4; see `tau_interval`."""
NORMAL = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""
COLUMNS = ("share", "architectures", "tau", "tau_low", "tau_high", "best_fifth")


def rank_stability_table(source: Source) -> "pd.DataFrame":
    """One row a point of the learning curve that all complete trainings have, without their end.

    `share` of the budget; `architectures` that are ranked, by the mean validation loss over the seeds that
    they are judged by; `tau`, Kendall's tau-b between the losses there and at the end; its 95 % interval,
    `tau_low` and `tau_high`; `best_fifth`, the share of the fifth with the lowest final losses that is in the
    fifth with the lowest losses there. Fewer than three architectures are not ranked: no rows.

    Trainings that were stopped have no final loss. They were the worse ones, mostly, so that tau among the
    others is lower than it would be among all.

    Args:
        source: A run folder, its path, or records.
    """
    import pandas as pd

    records, _ = read_source(source)
    losses = _losses_by_share(trials_table(records), curves_table(records))
    rows = []
    if len(losses) >= FEWEST:
        *earlier, final = (losses[share] for share in losses)
        for early in earlier:
            tau, count = kendall_tau(early.to_numpy(), final.to_numpy()), len(losses)
            rows.append((early.name, count, tau, *tau_interval(tau, count), _overlap(early, final)))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({name: "Int64" if name == "architectures" else "float64" for name in COLUMNS})


def kendall_tau(one: ArrayLike, other: ArrayLike) -> float:
    """Kendall's tau-b of two rankings; NaN where one of them ties all."""
    from scipy.stats import kendalltau

    return float(kendalltau(one, other, variant="b").statistic)


def tau_interval(tau: float, count: int) -> tuple[float, float]:
    """An interval that holds Kendall's tau in about 95 of 100 samples of so many things.

    The inverse hyperbolic tangent of tau is about normal, with variance 0.437 / (n - 4): Fieller, Hartley and
    Pearson 1957, "Tests for Rank Correlation Coefficients. I", Biometrika 44. Where all pairs are in order,
    that would be an interval of no width: it then starts from half a pair out of order.

    Returns:
        Its ends; NaN for fewer than five things.
    """
    if count < FEWEST_FOR_INTERVAL or math.isnan(tau):
        return math.nan, math.nan
    half_a_pair = 2 / (count * (count - 1))
    middle = math.atanh(max(-1 + half_a_pair, min(tau, 1 - half_a_pair)))
    width = NORMAL * math.sqrt(VARIANCE / (count - 4))
    low, high = math.tanh(middle - width), math.tanh(middle + width)
    return min(low, tau), max(high, tau)


def _losses_by_share(trials: "pd.DataFrame", curves: "pd.DataFrame") -> "pd.DataFrame":
    """One row an architecture, one column a share of the budget: mean validation losses over seeds."""
    import pandas as pd

    rows = rows_to_judge_by(trials[trials["status"] == Status.COMPLETE])
    rows = rows.drop_duplicates(["config_hash", "seed"])[["trial", "seed", "config_hash"]]
    points = curves.dropna(subset=["validation_loss"]).merge(rows, on=["trial", "seed"])
    points["training"] = points["trial"].astype(str) + " " + points["seed"].astype(str)
    by_training = points.groupby("training", sort=False)
    # Not of the tokens: where the batch grows, the first half of the steps sees fewer of them.
    points["share"] = points["step"].astype(float) / by_training["step"].transform("max").astype(float)
    shares = _common_shares(points)
    found = {}
    for share in shares:
        near = points[(points["share"] - share).abs() <= TOLERANCE]
        nearest = near.loc[(near["share"] - share).abs().groupby(near["training"]).idxmin()]
        found[share] = nearest.groupby(nearest["config_hash"].astype(object))["validation_loss"].mean()
    return pd.DataFrame(found).astype(float)


def _common_shares(points: "pd.DataFrame") -> list[float]:
    """Shares of the budget at which all trainings have a point, the end among them."""
    trainings = points["training"].nunique()
    shares: list[float] = []
    fewest = points["training"].value_counts()
    if fewest.empty:
        return shares
    own = sorted(points["share"][points["training"] == fewest.index[-1]])
    for place, reached in enumerate(own, 1):
        # Points are evenly spread, but for budgets in whole steps: a half is called a half.
        even = place / len(own)
        share = even if abs(even - reached) <= TOLERANCE else reached
        near = points[(points["share"] - share).abs() <= TOLERANCE]
        if share > 0 and near["training"].nunique() == trainings:
            shares.append(float(share))
    return shares


def _overlap(losses: "pd.Series[float]", final: "pd.Series[float]") -> float:
    """Share of the best fifth at the end that is in the best fifth before it; at least one is."""
    count = max(1, round(len(final) / 5))
    best, early = (set(one.sort_values(kind="stable").index[:count]) for one in (final, losses))
    return len(best & early) / count
