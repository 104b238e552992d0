"""Which module a piece of computation belongs to, in the forward and in the backward pass."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle


class GraphTracker:
    """The modules that compute at this moment, by name: what torch's counter asks for each operator.

    torch's own tracker goes by when gradients arrive, and mixes up branches that run beside each other. This
    one goes by what made the node of the graph which is computing: nodes are numbered in the order of the
    forward pass.

    Args:
        model: The model that will be run, whose own name is empty.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._running = [""]
        self._hooks: list[RemovableHandle] = []
        # From which node on the innermost module is which, in rising order.
        self._first_nodes, self._innermost = [0], [""]

    @property
    def parents(self) -> set[str]:
        """The innermost module that computes, and all around it."""
        node = torch._C._current_autograd_node()
        name = self._running[-1] if node is None else self._maker(node._sequence_nr())
        parts = name.split(".")
        return {"", *(".".join(parts[:end]) for end in range(1, len(parts) + 1))}

    def _maker(self, number: int) -> str:
        """The module which made the node of the graph that has this number."""
        return self._innermost[bisect_right(self._first_nodes, number) - 1]

    def __enter__(self) -> Self:
        """Watch the model; what was seen before stays known."""
        for name, module in self._model.named_modules():
            self._hooks.append(module.register_forward_pre_hook(self._start(name)))
            self._hooks.append(module.register_forward_hook(self._stop))
        return self

    def __exit__(self, *error: object) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def _start(self, name: str) -> Callable[..., None]:
        def start(module: nn.Module, inputs: Any) -> None:
            self._running.append(name)
            self._note()

        return start

    def _stop(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self._running.pop()
        self._note()

    def _note(self) -> None:
        self._first_nodes.append(torch.autograd._get_sequence_nr())  # type: ignore[attr-defined]
        self._innermost.append(self._running[-1])
