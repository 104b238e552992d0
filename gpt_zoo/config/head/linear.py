"""The linear head, declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveFloat, PositiveInt

from gpt_zoo.config.component import BrokenRule, Component, linear_params

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class LinearHeadConfig(Component):
    """One linear map to a logit for each token of the vocabulary."""

    kind: Literal["linear"] = "linear"
    module: ClassVar[str] = "gpt_zoo.layers.head:LinearHead"
    source: ClassVar[str] = 'Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"'

    dim: PositiveInt | None = None
    """E, a width to which a projection without bias leads before; None for `emb_dim` and no projection."""
    bias: bool = False
    """Whether each logit has a bias, as in GPT-J and Phi."""
    multiplier: PositiveFloat = 1.0
    """Factor of the logits. Yang et al. 2022, "Tensor Programs V" (muP), arXiv:2203.03466."""
    softcap: PositiveFloat | None = None
    """c, which bounds the logits: c·tanh(logit / c). Gemma Team 2024, "Gemma 2", arXiv:2408.00118."""

    def width(self, model: GPTConfig) -> int:
        """E."""
        return self.dim or model.emb_dim

    def table_params(self, model: GPTConfig) -> int:
        """V·E, of a head that is not tied."""
        return model.embedding.rows(model) * self.width(model)

    def other_params(self, model: GPTConfig) -> int:
        """Projection and biases."""
        projection = 0 if self.dim is None else linear_params(model.emb_dim, self.dim, bias=False)
        return projection + (model.embedding.rows(model) if self.bias else 0)

    def macs(self, model: GPTConfig, time: int) -> int:
        """Projection and logits, at all positions."""
        projection = 0 if self.dim is None else time * self.dim * model.emb_dim
        return projection + time * self.table_params(model)

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        """Projection, logits, and what bounds them."""
        if self.dim is not None:
            x = tape.linear(x, model.emb_dim, self.dim)
        rows = model.embedding.rows(model)
        logits = tape.linear(x, self.width(model), rows, self.bias)
        if rows != model.vocab_size:
            logits = tape.view(logits, logits.numbers // rows * model.vocab_size)
        if self.multiplier != 1:
            logits = tape.scale(logits)
        if self.softcap is not None:
            bounded = tape.scale(tape.scale(logits))
            tape.keep(bounded)
            logits = tape.scale(bounded)
        return logits

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """A table that serves as the head is as wide."""
        table = model.embedding.width(model)
        if model.tie_embeddings and self.width(model) != table:
            fixes = f"head.dim {table}" if table != model.emb_dim else "head.dim null"
            yield BrokenRule(
                ("tie_embeddings",) if self.dim is None else ("head", "dim"),
                f"tied embeddings need a head as wide as the token table, got {self.width(model)} and "
                f"{table}; try {fixes}, or tie_embeddings false",
            )
