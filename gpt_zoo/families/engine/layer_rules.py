"""Layers that differ in what they see: sliding windows in some, full attention in others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gpt_zoo.families.engine.config_rules import Hub, Ours, Rule, unsupported
from gpt_zoo.families.engine.errors import HubError

if TYPE_CHECKING:
    from gpt_zoo.families.engine.meaning import Meaning

SLIDING, FULL = "sliding_attention", "full_attention"


@dataclass(frozen=True)
class Window(Rule):
    """A sliding window that all layers have, or none. Stands below `context_length`.

    Args:
        default: Where the field is absent.
        switch: A field without which the window is off.
    """

    hub: str = "sliding_window"
    default: int | None = None
    switch: str | None = None

    def fields(self) -> dict[str, Any]:
        """The window, and its switch."""
        return {self.hub: self.default} | ({self.switch: False} if self.switch else {})

    def read(self, hub: Hub, ours: Ours) -> dict[str, Any]:
        """The window, unless it reaches over the whole context."""
        off = self.switch is not None and not hub[self.switch]
        return {"attention.window": None if off else narrow(hub[self.hub], ours)}

    def write(self, ours: "Meaning") -> dict[str, Any]:
        """The window."""
        window = ours.get("attention.window")
        return {self.hub: window} | ({self.switch: window is not None} if self.switch else {})


def narrow(window: Any, ours: Ours) -> Any:
    """The window, or None if it reaches over the whole context."""
    return None if window is None or window >= ours["context_length"] else window


@dataclass(frozen=True)
class SlidingLayers(Rule):
    """`layer_types` says which layers have the window. Stands below `n_layers`.

    Args:
        window: Field with the size of the window.
        default_window: Where it is absent.
        default_types: The list where it is absent, of (hub, number of layers).
        also: Other fields that the list is made of where it is absent, with their defaults.
        switch: A field without which the windows are off.
    """

    window: str = "sliding_window"
    default_window: int | None = None
    default_types: Callable[[Hub, int], Sequence[str]] = lambda hub, n_layers: [SLIDING] * n_layers
    also: tuple[tuple[str, Any], ...] = ()
    switch: str | None = None

    def fields(self) -> dict[str, Any]:
        """The list, the window and its switch, and what the list may be made of."""
        switch = {self.switch: False} if self.switch else {}
        return {"layer_types": None, self.window: self.default_window, **switch, **dict(self.also)}

    def read(self, hub: Hub, ours: Ours) -> dict[str, Any]:
        """The windows of the layers."""
        off = self.switch is not None and not hub[self.switch]
        n_layers, window = ours["n_layers"], None if off else narrow(hub[self.window], ours)
        types = read_layer_types(hub["layer_types"] or self.default_types(hub, n_layers), n_layers)
        if window is None:
            return {}
        return {"layers": [{"attention": {"window": window}} if kind == SLIDING else {} for kind in types]}

    def write(self, ours: "Meaning") -> dict[str, Any]:
        """The window and the list; fields that it could be made of are left at their defaults."""
        windows = [layer["attention"].get("window") for layer in ours.layers]
        first = next((window for window in windows if window), None)
        return {
            # Without a switch, no layer's window may be null
            self.window: first or (None if self.switch else ours.config.context_length),
            "layer_types": [SLIDING if window else FULL for window in windows],
            **({self.switch: first is not None} if self.switch else {}),
        }


def alternating(hub: Hub, n_layers: int) -> Sequence[str]:
    """The types where a window is in every other layer, from the first on."""
    return [SLIDING if i % 2 == 0 else FULL for i in range(n_layers)]


def read_layer_types(types: Any, n_layers: int) -> Sequence[str]:
    """The list, one entry a layer.

    Raises:
        HubError: another number of entries, or one that is neither sliding nor full.
    """
    if not isinstance(types, Sequence) or len(types) != n_layers:
        raise HubError(f"`layer_types` must have one entry for each of the {n_layers} layers, got {types!r}")
    for kind in types:
        if kind not in (SLIDING, FULL):
            raise unsupported("layer_types", kind, (SLIDING, FULL))
    return types
