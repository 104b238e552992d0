"""What was run, how and where, as headings with keys and values."""

from typing import TYPE_CHECKING, Any

from experiments.report.content import Facts
from experiments.units import format_value
from registry.matching.result import tell_share

if TYPE_CHECKING:
    import pandas as pd

FIRST = ("objectives", "constraints", "seeds", "data", "budget", "training", "match", "search")
DECLARED = ("extends", "variants", "space")
SAID = ("name", "description")
MEANS = (
    "device",
    "threads",
    "precision",
    "attention_backend",
    "compile",
    "optimizer",
    "parametrization",
    "cuda_graphs",
    "loss_chunks",
)
"""Fields of a record that tell by what means it was trained; what was `auto` is settled there."""


def describe_setup(asked: dict[str, Any]) -> list[Facts]:
    """The experiment by its keys, what matters most first, without its name and what it declares."""
    told = _without_nothing(asked)
    # A comparison carries the settings of a search that it does not make.
    left_out = (*DECLARED, *SAID, *(() if "space" in told else ("search",)))
    order = [*FIRST, *(key for key in told if key not in FIRST)]
    return group_facts({key: told[key] for key in order if key in told and key not in left_out})


def declared_yaml(asked: dict[str, Any]) -> str:
    """The variants or the space of an experiment as YAML; empty where it has none."""
    import yaml

    declared = {key: asked[key] for key in DECLARED if asked.get(key)}
    text: str = yaml.safe_dump(declared, sort_keys=False, allow_unicode=True, width=100) if declared else ""
    return text


def describe_trained(trials: "pd.DataFrame") -> list[Facts]:
    """By what means the trainings really computed, and all values of each; nothing where no record tells."""
    trained = trials[trials["attention_backend"].notna()]
    used = {name: list(dict.fromkeys(trained[name].dropna())) for name in MEANS}
    pairs = [(name, ", ".join(map(str, values))) for name, values in used.items() if any(values)]
    return [Facts("as it was trained", pairs)] if pairs else []


def group_facts(data: dict[str, Any]) -> list[Facts]:
    """Plain data as groups by the top-level key; plain values share one group without a heading."""
    plain: list[tuple[str, str]] = []
    groups: list[Facts] = []
    for key, value in data.items():
        if key == "match" and isinstance(value, dict):
            groups.append(Facts(_words(key), describe_match(value)))
        elif isinstance(value, dict):
            groups.append(Facts(_words(key), _flatten(value)))
        else:
            plain.append((str(key), _text(value, str(key))))
    return [*([Facts("", plain)] if plain else []), *groups]


def describe_match(match: dict[str, Any]) -> list[tuple[str, str]]:
    """What was to be made equal; what was changed in each variant, and how near its cost came."""
    outcome = match.get("outcome") or {}
    pairs = _flatten({key: value for key, value in match.items() if key != "outcome"})
    pairs += _flatten({key: value for key, value in outcome.items() if key != "variants"})
    return pairs + [
        (str(name), _tell_matched(matched, str(match.get("on"))))
        for name, matched in (outcome.get("variants") or {}).items()
    ]


def _tell_matched(matched: dict[str, Any], on: str) -> str:
    after = matched.get("after") or {}
    changes = [
        f"{field} {_text(old)} → {_text(after.get(field))}"
        for field, old in (matched.get("before") or {}).items()
        if old != after.get(field)
    ]
    told = f"{', '.join(changes) or 'nothing changed'}; {on} {matched.get('cost', 0):,}"
    told += f", {tell_share(matched.get('difference', 0.0))}"
    for field, layers in (matched.get("shadowed") or {}).items():
        told += f"; layers {_text(layers)} have a {field} of their own, which stayed"
    return told


def _without_nothing(data: dict[str, Any]) -> dict[str, Any]:
    """The data without the keys that were left at nothing."""
    told = {key: _without_nothing(value) if isinstance(value, dict) else value for key, value in data.items()}
    return {key: value for key, value in told.items() if value not in (None, [], {}, "")}


def _flatten(value: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, entry in value.items():
        path = f"{prefix}{key}"
        if isinstance(entry, dict) and entry:
            pairs += _flatten(entry, f"{path}.")
        else:
            pairs.append((path, _text(entry, str(key))))
    return pairs


def _text(value: Any, key: str = "") -> str:
    if isinstance(value, list):
        return ", ".join(_text(entry) for entry in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(entry)}" for key, entry in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and key.endswith(("_bytes", "_seconds", "_flops")):
        return format_value(key, value)
    return "none" if value is None else str(value)


def _words(key: Any) -> str:
    return str(key).replace("_", " ")
