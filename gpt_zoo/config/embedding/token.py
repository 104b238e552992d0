"""The token embedding, declared."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import (
    PositiveFloat,
    PositiveInt,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic_core import PydanticCustomError

from gpt_zoo.config.component import BrokenRule, Component, linear_params
from gpt_zoo.config.tape import INT64

if TYPE_CHECKING:
    from gpt_zoo.config.gpt import GPTConfig
    from gpt_zoo.config.tape import Made, Tape


class TokenEmbeddingConfig(Component):
    """A table with a vector for each token, and what is done with it before the first layer."""

    kind: Literal["token"] = "token"
    module: ClassVar[str] = "gpt_zoo.layers.embedding:TokenEmbedding"
    source: ClassVar[str] = 'Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"'

    dim: PositiveInt | None = None
    """E, the width of the table, from which a projection without bias leads to `emb_dim`; None for `emb_dim`
    and no projection. Lan et al. 2019, "ALBERT", arXiv:1909.11942; OPT-350m."""
    multiplier: PositiveFloat | Literal["sqrt_dim"] = 1.0
    """Factor of the vectors; `sqrt_dim` is √emb_dim. Vaswani et al. 2017, section 3.4, arXiv:1706.03762."""
    norm: bool = False
    """Whether a norm of the model's kind follows. Le Scao et al. 2022, "BLOOM", arXiv:2211.05100."""
    pad_to: PositiveInt = 1
    """The table and the head get rows up to a multiple of this; nothing reads them, they make the products of
    the head faster. Shoeybi et al. 2019, "Megatron-LM", arXiv:1909.08053."""

    @field_validator("multiplier", mode="wrap")
    @classmethod
    def _number_or_word(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError:
            message = f"must be a number above 0 or `sqrt_dim`, got {value!r}"
            raise PydanticCustomError("multiplier", "{message}", {"message": message}) from None

    def rows(self, model: GPTConfig) -> int:
        """Rows of the table: the vocabulary, padded."""
        return -(-model.vocab_size // self.pad_to) * self.pad_to

    def width(self, model: GPTConfig) -> int:
        """E."""
        return self.dim or model.emb_dim

    def factor(self, model: GPTConfig) -> float:
        """The multiplier as a number."""
        return math.sqrt(model.emb_dim) if self.multiplier == "sqrt_dim" else self.multiplier

    def table_params(self, model: GPTConfig) -> int:
        """V·E."""
        return self.rows(model) * self.width(model)

    def other_params(self, model: GPTConfig) -> int:
        """Projection and norm."""
        projection = 0 if self.dim is None else linear_params(self.dim, model.emb_dim, bias=False)
        return projection + (model.norm.params(model.emb_dim) if self.norm else 0)

    def macs(self, model: GPTConfig, time: int) -> int:
        """Of the projection."""
        return 0 if self.dim is None else time * self.dim * model.emb_dim

    def trace(self, tape: Tape, model: GPTConfig) -> Made:
        """The rows of the tokens, of which the ids are kept, and what is done with them."""
        width, size = self.width(model), tape.run.size
        table = self.table_params(model)
        # Added to the gradient that the head has made: that is transposed, so that the sum is a third one.
        tied = (1 if tape.run.autocast else 2) * size * table if model.tie_embeddings else 0
        x = tape.make(tape.tokens * width, size, weights=0 if tied else table, extra=tied)
        tape.keep(INT64 * tape.ids)
        if self.dim is not None:
            x = tape.linear(x, self.dim, model.emb_dim)
        if self.factor(model) != 1:
            x = tape.scale(x)
        return model.norm.trace(tape, model.emb_dim, x) if self.norm else x

    def broken_rules(self, model: GPTConfig) -> Iterator[BrokenRule]:
        """A norm must be one."""
        if self.norm and model.norm.kind == "none":
            yield BrokenRule(
                ("embedding", "norm"),
                "the embeddings take the model's norm, got norm true with norm none; try embedding.norm "
                "false, or "
                "norm: {kind: rms_norm}",
            )
