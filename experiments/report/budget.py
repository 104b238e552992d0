"""What was spent on each variant, in words that say what the comparison is fair in."""

from collections.abc import Mapping
from typing import Any, TypeGuard

from experiments.units import enumerate_words, format_count, format_flops, format_seconds, plural

RULES = {
    "front": "stops a training that cannot reach the front: even in an optimistic view, which holds with "
    "{confidence} confidence, its final loss is no better than that of a variant which costs no more",
    "asha": "is asynchronous successive halving: of the trainings at a rung only the best part goes on",
    "hyperband": "is Hyperband: successive halving from several first rungs",
    "median": "stops a training whose loss is above the median of those before it at the same rung",
    "wilcoxon": "stops a training that a Wilcoxon test finds worse than the best so far, with {confidence} "
    "confidence",
}


def describe_budget(asked: Mapping[str, Any]) -> list[str]:
    """Sentences on the budget of a training, the rungs in it, what ends a search, and what follows it.

    Args:
        asked: The resolved experiment; what is missing from it is not told.
    """
    told = [_budget(_part(asked, "budget"), _part(asked, "training"))]
    if "space" in asked:
        search = _part(asked, "search")
        told += [_rungs(asked), _end(search), _confirmation(search)]
    return [text for text in told if text]


def find_rungs(asked: Mapping[str, Any]) -> list[float]:
    """The shares of the budget at which a search judges trainings; none where it judges none."""
    rungs = _part(_part(asked, "search"), "stopping").get("rungs")
    return [float(rung) for rung in rungs if _is_number(rung)] if isinstance(rungs, list) else []


def describe_rule(asked: Mapping[str, Any]) -> str:
    """What the rule of stopping does, in a sentence; empty where none is known."""
    stopping = _part(_part(asked, "search"), "stopping")
    rule = str(stopping.get("rule"))
    if rule not in RULES:
        return ""
    confidence = stopping.get("confidence")
    share = f"{confidence:.0%}" if _is_number(confidence) else "the declared"
    return f"The rule {rule} {RULES[rule].format(confidence=share)}."


def _budget(budget: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    given = [(name, value) for name, value in budget.items() if _is_number(value)]
    if len(given) != 1:
        return ""
    name, value = given[0]
    schedule = str(training.get("schedule") or "")
    spans = f" The learning rate follows one {schedule} schedule over all of it." if schedule else ""
    texts = {
        "tokens": f"Every variant sees {value:,.0f} tokens: equal tokens, so that those which cost more a "
        "token spend more training FLOPs.",
        "steps": f"Every variant takes {plural(round(value), 'step')}: equal tokens where contexts are "
        "equal, so that those which cost more a token spend more training FLOPs.",
        "flops": f"Every variant spends {format_flops(value)} of training: equal training FLOPs, so that "
        "those which cost less a token see more of them.",
        "seconds": f"Every variant is trained for {format_seconds(value)}: equal time on this machine, so "
        "that those which compute faster see more tokens.",
        "tokens_per_param": f"Every variant sees {value:g} tokens a parameter: larger ones see more, and "
        "their training FLOPs grow about with the square of their size.",
    }
    return texts[name] + spans if name in texts else ""


def _rungs(asked: Mapping[str, Any]) -> str:
    rungs = find_rungs(asked)
    if not rungs:
        return ""
    shares = enumerate_words([f"{rung:.0%}" for rung in rungs])
    (place, at) = ("a rung", "it") if len(rungs) == 1 else ("rungs", "each")
    tokens = _part(asked, "budget").get("tokens")
    counts = enumerate_words([format_count(rung * tokens) for rung in rungs]) if _is_number(tokens) else ""
    told = f", after {counts} tokens" if counts else ""
    checked = _part(_part(asked, "search"), "stopping").get("check")
    check = (
        f" Up to {checked} of the stopped ones, drawn by lot, are trained to their end to check it."
        if _is_number(checked) and checked
        else ""
    )
    return (
        f"One study holds several fidelities: {place} at {shares} of this budget{told}, and its end. At {at} "
        "the loss is that of a training on its way, with the schedule of a whole one, and is compared with "
        f"losses at the same share of theirs. {describe_rule(asked)}{check}"
    )


def _end(search: Mapping[str, Any]) -> str:
    trials, flops, seconds, gain = (search.get(name) for name in ("trials", "flops", "seconds", "least_gain"))
    limits = [
        f"{plural(int(trials), 'trial')} are trained" if _is_number(trials) else "",
        f"{format_flops(flops)} of training are spent" if _is_number(flops) else "",
        f"{format_seconds(seconds)} of trials are over" if _is_number(seconds) else "",
        f"no proposal is expected to enlarge the front by {gain:.2%} of its hypervolume"
        if _is_number(gain)
        else "",
    ]
    known = [limit for limit in limits if limit]
    first = ", whichever comes first" if len(known) > 1 else ""
    return f"The search ends when {' or '.join(known)}{first}." if known else ""


def _confirmation(search: Mapping[str, Any]) -> str:
    count = search.get("confirm")
    if not _is_number(count) or not count:
        return ""
    return (
        f"Members of the front are then trained again with {plural(int(count), 'fresh seed')}, which had no "
        "part in choosing them, and stand where these put them."
    )


def _part(asked: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = asked.get(key)
    return part if isinstance(part, dict) else {}


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
