"""The finding, in one paragraph."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.labels import chosen_values, name_rows
from experiments.objectives import OBJECTIVES
from experiments.record import Purpose
from experiments.report.certainty import smallest_difference
from experiments.units import (
    enumerate_words,
    format_bytes,
    format_count,
    format_flops,
    format_value,
    is_missing,
    plural,
)

if TYPE_CHECKING:
    import pandas as pd


def write_answer(trials: "pd.DataFrame", summary: "pd.DataFrame", objectives: Sequence[str]) -> str:
    """How many trials there were, the lowest loss and its cost, and how many stand on the front."""
    if trials.empty:
        return "No trial has ended yet: there is nothing to compare."
    sentences = [_count(trials)]
    lead = next((name for name in ("validation_loss", *objectives) if summary[name].notna().any()), None)
    if lead is not None:
        sentences += [
            _best(summary, lead),
            *_cheaper(summary, lead),
            _front(summary, objectives),
            _seeds(summary),
        ]
    elif len(summary):
        sentences.append("None of the objectives was recorded for them.")
    return " ".join(sentences)


def _count(trials: "pd.DataFrame") -> str:
    searched = trials[trials["purpose"] == Purpose.SEARCH]
    ended = Counter(str(status) for status in searched["status"])
    complete = ended.pop("complete", 0)
    n_trials = searched["trial"].nunique()
    asked = plural(n_trials, "trial")
    if len(searched) > n_trials:
        asked = f"{plural(len(searched), 'training')} ({asked})"
    others = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in ended.most_common())
    if not complete:
        return f"Of {asked}, none was completed ({others}): there is no loss to compare."
    completed = f"Of {asked}, {complete} {'was' if complete == 1 else 'were'} completed"
    completed += f" ({others})." if others else "."
    return " ".join([completed, *_afterwards(trials)])


def _afterwards(trials: "pd.DataFrame") -> list[str]:
    """The trainings that followed a search."""
    counts = Counter(str(purpose) for purpose in trials["purpose"])
    told = [
        f"{counts[purpose]} to {what}"
        for purpose, what in ((Purpose.CONFIRM, "confirm the front"), (Purpose.CHECK, "check early stopping"))
        if counts[purpose]
    ]
    return [f"More trainings followed: {enumerate_words(told)}."] if told else []


def _best(summary: "pd.DataFrame", lead: str) -> str:
    objective = OBJECTIVES[lead]
    best = _leader(summary, lead)
    what = "lowest" if objective.direction == "minimize" else "highest"
    unit = " nats/token" if lead.endswith("_loss") else ""
    value = format_value(lead, best[lead])
    if lead == "validation_loss" and not is_missing(best["validation_loss_std"]):
        value += f" ± {best['validation_loss_std']:.3f}"
    confirmed = int(best["n_confirmed"])
    sure = f", confirmed with {plural(confirmed, 'fresh seed')}" if confirmed else ""
    named = [str(best["name"]), *([best["chosen"]] if best["chosen"] else [])]
    costs = [
        (best["train_flops"], f"{format_flops(best['train_flops'])} of training"),
        (best["params"], f"{format_count(best['params'])} parameters"),
        (best["memory_bytes"], f"{format_bytes(best['memory_bytes'])} of memory"),
    ]
    spent = enumerate_words([text for number, text in costs if not is_missing(number)])
    head = objective.label.partition(" (")[0]
    found = f"The {what} {head} is {value}{unit} ({', '.join(named)}){sure}"
    return f"{found}, at {spent}." if spent else f"{found}."


def _cheaper(summary: "pd.DataFrame", lead: str) -> list[str]:
    """What half of the FLOPs buys: the question that follows the lowest loss."""
    if lead != "validation_loss":
        return []
    best = _leader(summary, lead)
    rest = summary[summary["train_flops"] <= best["train_flops"] / 2]
    if rest.empty:
        return []
    next_best = _leader(rest, lead, summary)
    return [
        f"With at most half of its training FLOPs, the lowest is {format_value(lead, next_best[lead])} "
        f"({next_best['name']}, {format_flops(next_best['train_flops'])})."
    ]


def _front(summary: "pd.DataFrame", objectives: Sequence[str]) -> str:
    members = int(summary["on_front"].sum())
    heads = enumerate_words([OBJECTIVES[name].label.partition(" (")[0] for name in objectives])
    text = f"{plural(members, 'variant')} {'is' if members == 1 else 'are'} on the front of {heads}"
    confirmed = int((summary["n_confirmed"] > 0)[summary["on_front"]].sum())
    if not (summary["n_confirmed"] > 0).any():
        return f"{text}."
    return f"{text}, {'all' if confirmed == members else confirmed or 'none'} confirmed with fresh seeds."


def _seeds(summary: "pd.DataFrame") -> str:
    if (summary["n_seeds"] <= 1).all() and len(summary) > 1:
        return "Each was trained with one seed: differences smaller than seed noise mean nothing."
    difference = smallest_difference(summary)
    if math.isnan(difference):
        return ""
    which = "confirmed variants" if (summary["n_confirmed"] > 0).any() else "variants"
    return f"Between two {which}, less than about {difference:.3f} nats/token is within seed noise."


def _leader(rows: "pd.DataFrame", lead: str, named_among: "pd.DataFrame | None" = None) -> "pd.Series[Any]":
    everything = rows if named_among is None else named_among
    named = everything.assign(name=name_rows(everything), chosen=chosen_values(everything)).loc[rows.index]
    direction = OBJECTIVES[lead].direction
    numbers = named[lead].dropna()
    ranked = named.loc[numbers.sort_values(ascending=direction == "minimize", kind="stable").index]
    return ranked.iloc[0]
