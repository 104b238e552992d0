"""Rotary positions, declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gpt_zoo.config.component import BrokenRule
from gpt_zoo.config.position.base import AttentionPositionConfig
from gpt_zoo.config.position.rotary_scaling import RotaryScalingConfig
from gpt_zoo.config.slot import Slot
from gpt_zoo.config.tape import FLOAT32

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class RotaryPositionConfig(AttentionPositionConfig):
    """Queries and keys are turned by an angle in proportion to their position."""

    kind: Literal["rotary"] = "rotary"
    module: ClassVar[str] = "gpt_zoo.layers.position:RotaryPosition"
    turns: ClassVar[bool] = True
    source: ClassVar[str] = 'Su et al. 2021, "RoFormer", arXiv:2104.09864'

    base: float = Field(default=10_000.0, gt=1.0)
    """The slowest pair of dimensions turns once in about 2π times this many tokens."""
    fraction: float = Field(default=1.0, gt=0.0, le=1.0)
    """Share of each head that is turned, its first numbers. Black et al. 2022, "GPT-NeoX-20B",
    arXiv:2204.06745."""
    interleaved: bool = False
    """Whether neighbours make a pair, as in the paper and GPT-J; else the two halves do, as in GPT-NeoX and
    Llama."""
    scaling: Annotated[RotaryScalingConfig | None, Slot("rotary_scaling", optional=True)] = None
    """How the positions are stretched to a longer context."""

    def turned(self, position_dim: int) -> int:
        """Numbers that are turned, of `position_dim` that may be."""
        return round(self.fraction * position_dim)

    def trace_turn(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """Cosines and sines in float32, which all layers share; products with them keep nothing else."""
        dim = model.attention.position_dim(model)
        turned = self.turned(dim)
        angles = tape.once(("turn", self, turned), tape.run.time * (turned // 2) * 2, FLOAT32)
        part = FLOAT32 * (x.numbers // dim * turned)
        made = tape.make(x.numbers, x.size, x, keeps=(angles,), extra=part)
        made.by_head = True
        return made

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """Something is turned, in pairs; a scaling's own rules."""
        for rule in () if self.scaling is None else self.scaling.scaling_rules():
            yield BrokenRule(("position", "scaling", *rule.path), rule.message)
        dim = model.attention.position_dim(model)
        if dim == 0:
            message = (
                f"{model.attention.kind} attention has nothing for rotary positions to turn; "
                "try position: {kind: none}"
            )
            if model.attention.kind == "latent":
                message += ", or an attention.rope_head_dim above 0"
            yield BrokenRule(("position",), message)
        elif self.fraction < 1 and (self.turned(dim) % 2 or self.turned(dim) == 0):
            whole = max(1, round(self.turned(dim) / 2)) * 2
            tries = [whole / dim] if whole <= dim else []
            yield BrokenRule(
                ("position", "fraction"),
                f"rotary positions turn an even number of a head's numbers, got {self.fraction} of {dim} = "
                f"{self.turned(dim)}; try fraction {' or '.join(f'{share:g}' for share in [*tries, 1.0])}",
            )
        elif dim % 2 and self.fraction == 1:
            yield self._odd_head(model, dim)

    def _odd_head(self, model: GPTConfig, dim: int) -> BrokenRule:
        """A head of odd size cannot be turned in pairs: which width or size would be even."""
        if dim * model.n_heads != model.emb_dim:
            size = "rope_head_dim" if model.attention.kind == "latent" else "head_dim"
            return BrokenRule(
                ("attention", size),
                f"rotary positions need heads of even size, got {dim}; try {dim + 1}"
                + (f" or {dim - 1}" if dim > 1 else ""),
            )
        return BrokenRule(
            ("emb_dim",),
            f"rotary positions need heads of even size, got {model.emb_dim} / {model.n_heads} = {dim}; "
            f"try emb_dim {(dim + 1) * model.n_heads}"
            + (f" or {(dim - 1) * model.n_heads}" if dim > 1 else ""),
        )
