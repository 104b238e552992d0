"""Rotary positions in config.json: `rope_parameters` since transformers 5, `rope_scaling` before."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gpt_zoo.families.engine.config_rules import Hub, Ours, Rule, unsupported
from gpt_zoo.families.engine.errors import HubError

if TYPE_CHECKING:
    from gpt_zoo.families.engine.meaning import Meaning

_LLAMA3 = {"factor": "factor", "low_freq_factor": "low_freq_factor", "high_freq_factor": "high_freq_factor"}
_TAKEN = {
    "default": set(),
    "linear": {"factor"},
    "llama3": {*_LLAMA3, "original_max_position_embeddings"},
    "yarn": {
        *("factor", "original_max_position_embeddings", "attention_factor", "beta_fast", "beta_slow"),
        *("mscale", "mscale_all_dim", "truncate"),
    },
}
"""The types of scaling, and the keys of each."""


@dataclass(frozen=True)
class Rotary(Rule):
    """Rotary positions, with the scalings `linear`, `llama3` and `yarn`. Stands below the sizes.

    Written in the old and the new spelling, so that transformers 4 and 5 read the same.

    Args:
        base: Old name of the base.
        default_base: The base where none is given.
        fraction: Old name of the share of each head that is turned; None if the family turns all of it.
        default_fraction: The share where none is given.
        interleaved: Whether neighbours are paired, not halves.
        default: Parameters in the new spelling, where neither spelling gives any.
        scaled: Whether the family reads scalings as the others do.
    """

    base: str = "rope_theta"
    default_base: float = 10000.0
    fraction: str | None = None
    default_fraction: float = 1.0
    interleaved: bool = False
    default: Mapping[str, Any] | None = None
    scaled: bool = True

    def fields(self) -> dict[str, Any]:
        """New spelling and old."""
        old = {self.base: None, "rope_scaling": None} | ({self.fraction: None} if self.fraction else {})
        return {"rope_parameters": None, **old}

    def parameters(self, hub: Hub) -> dict[str, Any]:
        """What the old and the new spelling say together, in the new one.

        Raises:
            HubError: they contradict each other.
        """
        spellings = {name: hub[name] for name in ("rope_parameters", "rope_scaling")}
        if self.default is not None and all(source is None for source in spellings.values()):
            spellings["rope_parameters"] = self.default
        spellings[self.base] = {"rope_theta": hub[self.base]}
        if self.fraction:
            spellings[self.fraction] = {"partial_rotary_factor": hub[self.fraction]}
        parameters = _agreed(spellings)
        parameters.setdefault("rope_theta", self.default_base)
        if self.fraction:
            parameters.setdefault("partial_rotary_factor", self.default_fraction)
        elif parameters.get("partial_rotary_factor", 1.0) != 1.0:
            raise unsupported("partial_rotary_factor", parameters["partial_rotary_factor"], [1.0])
        if not self.scaled and parameters.get("rope_type", "default") != "default":
            raise unsupported("rope_type", parameters["rope_type"], ["default"])
        return parameters

    def read(self, hub: Hub, ours: Ours) -> dict[str, Any]:
        """The position."""
        position = read_rope(self.parameters(hub), ours["context_length"], head_dim_of(ours))
        if self.interleaved:
            position["interleaved"] = True
        return {f"position.{key}": value for key, value in position.items()}

    def write(self, ours: "Meaning") -> dict[str, Any]:
        """Both spellings."""
        position = ours.component("position")
        if position.get("kind") != "rotary":
            return {}
        parameters = write_rope(position if self.scaled else {**position, "scaling": None})
        old = {self.base: parameters["rope_theta"]}
        if self.fraction:
            old[self.fraction] = position["fraction"]
            parameters["partial_rotary_factor"] = position["fraction"]
        if parameters["rope_type"] != "default":
            old["rope_scaling"] = {
                key: value
                for key, value in parameters.items()
                if key not in ("rope_theta", "partial_rotary_factor")
            }
        return {"rope_parameters": parameters, **old}


def _agreed(spellings: Mapping[str, Any]) -> dict[str, Any]:
    """What the old and the new spelling say together.

    Args:
        spellings: Fields of config.json, each with what it says in the new spelling.

    Raises:
        HubError: they contradict each other.
    """
    agreed: dict[str, Any] = {}
    for name, source in spellings.items():
        if not isinstance(source, Mapping | None):
            raise HubError(f"`{name}` must be a mapping, got {source!r}")
        for key, value in (source or {}).items():
            key = "rope_type" if key == "type" else key
            if value is not None and agreed.setdefault(key, value) != value:
                raise HubError(f"`{key}` is {value!r} by `{name}`, but {agreed[key]!r} by other fields")
    return agreed


def head_dim_of(ours: Ours) -> int:
    """The size of a head, from the values by path so far."""
    return int(ours.get("attention.head_dim") or ours["emb_dim"] // ours["n_heads"])


def read_rope(parameters: Mapping[str, Any], context_length: int, head_dim: int) -> dict[str, Any]:
    """The `position` that a flat `rope_parameters` declares.

    Args:
        parameters: In the new spelling, with `rope_theta`.
        context_length: The model's own: where scaling starts unless it is said.
        head_dim: d, of which a share may be turned.

    Raises:
        HubError: a type of scaling, or a key, that is not supported.
    """
    rest = dict(parameters)
    kind = rest.pop("rope_type", "default")
    if kind not in _TAKEN:
        raise unsupported("rope_type", kind, _TAKEN)
    position: dict[str, Any] = {"kind": "rotary", "base": float(rest.pop("rope_theta"))}
    fraction = rest.pop("partial_rotary_factor", 1.0)
    if fraction != 1.0:
        # The number of turned dimensions is cut off there, and rounded here.
        turned = int(head_dim * fraction)
        position["fraction"] = fraction if round(head_dim * fraction) == turned else turned / head_dim
    unknown = rest.keys() - _TAKEN[kind]
    if unknown:
        raise HubError(f"rotary positions of the type `{kind}` have no `{sorted(unknown)[0]}`")
    rest = {key: value for key, value in rest.items() if value is not None}
    original = rest.get("original_max_position_embeddings", context_length)
    if kind == "linear":
        position["scaling"] = {"kind": "linear", "factor": rest["factor"]}
    if kind == "llama3":
        numbers = {ours: rest[hub] for ours, hub in _LLAMA3.items()}
        position["scaling"] = {"kind": "llama3", **numbers, "original_context": original}
    if kind == "yarn":
        position["scaling"] = _read_yarn(rest, original, context_length)
    return position


def _read_yarn(rest: Mapping[str, Any], original: int, context_length: int) -> dict[str, Any]:
    factor = rest.get("factor", context_length / original)
    mscale, all_dim = rest.get("mscale"), rest.get("mscale_all_dim")
    attention_factor = rest.get("attention_factor")
    if attention_factor is None and mscale and all_dim:
        attention_factor = yarn_temperature(factor, mscale) / yarn_temperature(factor, all_dim)
    return {
        "kind": "yarn",
        "factor": factor,
        "original_context": original,
        "beta_fast": rest.get("beta_fast") or 32.0,
        "beta_slow": rest.get("beta_slow") or 1.0,
        "attention_factor": attention_factor,
        "truncate": rest.get("truncate", True),
    }


def yarn_temperature(factor: float, scale: float = 1.0) -> float:
    """0.1·scale·ln(factor) + 1, a factor of queries and keys. Peng et al. 2023, "YaRN", arXiv:2309.00071."""
    return 0.1 * scale * math.log(factor) + 1.0 if factor > 1 else 1.0


def write_rope(position: Mapping[str, Any]) -> dict[str, Any]:
    """A flat `rope_parameters` of a rotary `position`; what cannot be expressed is left out."""
    scaling = position.get("scaling") or {"kind": "default"}
    parameters = {"rope_theta": position["base"], "rope_type": scaling["kind"]}
    for key in _TAKEN.get(scaling["kind"], ()):
        if key in scaling:
            parameters[key] = scaling[key]
    if "original_context" in scaling:
        parameters["original_max_position_embeddings"] = scaling["original_context"]
    if scaling["kind"] not in _TAKEN:
        parameters["rope_type"] = "default"
    return parameters
