"""Layers with a window that turn queries and keys by other angles than those without."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gpt_zoo.families.engine.config_rules import Hub, Ours, Rule, unsupported
from gpt_zoo.families.engine.errors import HubError
from gpt_zoo.families.engine.layer_rules import FULL, SLIDING, narrow, read_layer_types
from gpt_zoo.families.engine.rotary_rules import Rotary, write_rope

if TYPE_CHECKING:
    from gpt_zoo.families.engine.meaning import Meaning


@dataclass(frozen=True)
class SlidingRotary(Rule):
    """`layer_types`, with `rope_parameters` for each type; before transformers 5, `rope_scaling` was for the
    layers without a window. Stands below the sizes.

    Args:
        base: Of layers without a window, where none is given.
        sliding_base: Of those with one.
        old_sliding_base: Its old name; None if `rope_theta` was for both.
        window: The default.
        pattern: A layer of so many, the last, has no window, where there is no list.
        patterns: Fields that give this number.
    """

    base: float
    sliding_base: float
    old_sliding_base: str | None = None
    window: int = 4096
    pattern: int = 4
    patterns: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        """The list, the window, and both spellings."""
        names = ["layer_types", "rope_parameters", "rope_theta", "rope_scaling", *self.patterns]
        names += [self.old_sliding_base] if self.old_sliding_base else []
        return {**dict.fromkeys(names), "sliding_window": self.window}

    def read(self, hub: Hub, ours: Ours) -> dict[str, Any]:
        """Windows and positions of the layers."""
        if hub["sliding_window"] is None:
            raise unsupported("sliding_window", None, ["a number of tokens"])
        if unknown := set(hub["rope_parameters"] or {}) - {SLIDING, FULL}:
            raise HubError(f"`rope_parameters` has `{min(unknown)}`, which is no type of layers here")
        layers = {kind: {"position": self._position(kind, hub, ours)} for kind in (SLIDING, FULL)}
        layers[SLIDING]["attention"] = {"window": narrow(hub["sliding_window"], ours)}
        types = read_layer_types(hub["layer_types"] or self._usual(hub, ours), ours["n_layers"])
        return {"position.kind": "rotary", "layers": [layers[kind] for kind in types]}

    def _usual(self, hub: Hub, ours: Ours) -> Sequence[str]:
        pattern = next((hub[name] for name in self.patterns if hub[name]), self.pattern)
        return [SLIDING if (i + 1) % pattern else FULL for i in range(ours["n_layers"])]

    def _position(self, kind: str, hub: Hub, ours: Ours) -> dict[str, Any]:
        """The position of a type of layers, by both spellings."""
        nested = (hub["rope_parameters"] or {}).get(kind)
        old = {"rope_theta": hub["rope_theta"], "rope_scaling": hub["rope_scaling"]}
        if kind == SLIDING:
            old = {"rope_theta": hub[self.old_sliding_base or "rope_theta"], "rope_scaling": None}
            if self.old_sliding_base is None and nested is None and old["rope_theta"] != self.sliding_base:
                old["rope_theta"] = self._shared_base(old["rope_theta"])
        rule = Rotary(default_base=self.base if kind == FULL else self.sliding_base)
        read = rule.read({"rope_parameters": nested, **old}, ours)
        return {"scaling": None, **{key.removeprefix("position."): value for key, value in read.items()}}

    def _shared_base(self, base: Any) -> Any:
        """A base for both types is read for both by transformers 4, for one by 5."""
        if base is not None:
            raise unsupported("rope_theta", base, [f"{self.sliding_base} where there are no rope_parameters"])
        return base

    def write(self, ours: "Meaning") -> dict[str, Any]:
        """Both spellings. The window tells the type of a layer; where none is narrower than the context, the
        positions do."""
        positions = [layer["position"] for layer in ours.layers]
        windows = [layer["attention"]["window"] for layer in ours.layers]
        if any(windows) or all(position == positions[-1] for position in positions):
            types = [SLIDING if window else FULL for window in windows]
        else:
            types = [FULL if position == positions[-1] else SLIDING for position in positions]
        ropes = {kind: write_rope(position) for kind, position in zip(types, positions, strict=True)}
        return {
            "layer_types": types,
            "sliding_window": next((window for window in windows if window), ours.config.context_length),
            "rope_parameters": ropes,
            **self._old_spelling(ropes),
        }

    def _old_spelling(self, ropes: Mapping[str, Any]) -> dict[str, Any]:
        full, sliding = ropes.get(FULL), ropes.get(SLIDING)
        old = {}
        if sliding and self.old_sliding_base:
            old[self.old_sliding_base] = sliding["rope_theta"]
        bases = {rope["rope_theta"] for rope in ropes.values()}
        if full and (self.old_sliding_base or len(bases) == 1):
            old["rope_theta"] = full["rope_theta"]
        if full and full["rope_type"] != "default":
            old["rope_scaling"] = {key: value for key, value in full.items() if key != "rope_theta"}
        return old
