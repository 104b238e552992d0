"""What every component is: a config that says what it costs and which module computes it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pydantic import ConfigDict

from gpt_zoo.config.base import Declared

if TYPE_CHECKING:
    from torch import nn

    from gpt_zoo.config.gpt import GPTConfig


@dataclass(frozen=True)
class Macs:
    """Multiply-accumulates of matrix multiplications for one sequence.

    Args:
        linear: Of weights with activations; the same for any attention mask.
        attention: Of activations with activations, each of the T x T pairs of query and key counted.
        attention_causal: The same with only the T(T+1)/2 pairs that a causal mask keeps.
        attention_windowed: The same with only those of them that lie in a window; None where there is none.
    """

    linear: int = 0
    attention: int = 0
    attention_causal: int = 0
    attention_windowed: int | None = None

    def __add__(self, other: Macs) -> Macs:
        return Macs(
            self.linear + other.linear,
            self.attention + other.attention,
            self.attention_causal + other.attention_causal,
            self.windowed + other.windowed,
        )

    def __mul__(self, count: int) -> Macs:
        return Macs(
            count * self.linear,
            count * self.attention,
            count * self.attention_causal,
            count * self.windowed,
        )

    @property
    def windowed(self) -> int:
        """Those of the pairs that are really seen."""
        return self.attention_causal if self.attention_windowed is None else self.attention_windowed


class BrokenRule(NamedTuple):
    """A rule between several fields that does not hold: where to point, and what to say."""

    path: tuple[str, ...]
    message: str
    for_all: str = ""
    """A further fix, in a field that all layers share: of no use where a single layer breaks the rule."""


class Component(Declared):
    """The config of one part of a model. `kind` tells the kinds of a slot apart.

    A subclass states its own parameters and multiply-accumulates beside the paper that it comes from; the
    module of the same stem in `gpt_zoo.layers` computes. `model` in the methods is always the GPTConfig as
    one layer sees it, with that layer's overrides applied.
    """

    model_config = ConfigDict(allow_inf_nan=False)  # JSON has neither: such a config could not be read back

    kind: str
    module: ClassVar[str]
    """The nn.Module, as "package.module:Class"."""
    source: ClassVar[str]
    """Where the component comes from: authors, year, title, arXiv number."""

    @classmethod
    def _about_unknown(cls, key: str) -> str:
        """Where an unknown key does belong: often it is the field of another kind of the same slot."""
        from gpt_zoo.config.slot import KINDS  # it holds the components

        for kinds in KINDS.values():
            if cls in kinds.values():
                owners = [kind for kind, config in kinds.items() if key in config.model_fields]
                if owners:
                    own, other = cls.model_fields["kind"].default, " or ".join(f"`{kind}`" for kind in owners)
                    return f"unknown key `{key}` of the kind `{own}`; {other} has it"
        return super()._about_unknown(key)

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """The rules between this component and the rest of the model that do not hold."""
        yield from ()

    def untold(self) -> ValueError:
        """What is wrong with a kind whose memory nobody can predict."""
        return ValueError(
            f"the kind `{self.kind}` does not say what it keeps for the backward pass, so that its memory "
            "cannot be predicted; give its config `trace`"
        )

    def build(self, *args: Any) -> nn.Module:
        """The module that computes this component, made from this config and `args`.

        Raises:
            ValueError: there is no such module or class.
        """
        module, _, name = self.module.partition(":")
        try:
            made = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise ValueError(
                f"the kind `{self.kind}` is computed by `{self.module}`, which cannot be loaded: {error}; "
                'a module is named as "package.module:Class"'
            ) from error
        built: nn.Module = made(self, *args)
        return built


def linear_params(inputs: int, outputs: int, bias: bool) -> int:
    """Parameters of a linear map."""
    return inputs * outputs + (outputs if bias else 0)
