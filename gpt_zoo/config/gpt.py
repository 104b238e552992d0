"""The config of a whole model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field, PositiveInt, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from gpt_zoo.config.attention.base import AttentionConfig
from gpt_zoo.config.attention.multi_head import MultiHeadAttentionConfig
from gpt_zoo.config.base import Declared, did_you_mean, problem
from gpt_zoo.config.block.base import BlockConfig
from gpt_zoo.config.block.sequential import TransformerBlockConfig
from gpt_zoo.config.feed_forward.base import FeedForwardBaseConfig
from gpt_zoo.config.feed_forward.plain import FeedForwardConfig
from gpt_zoo.config.kinds import Slot
from gpt_zoo.config.merge import deep_merge
from gpt_zoo.config.norm.base import NormConfig
from gpt_zoo.config.norm.layer_norm import LayerNormConfig
from gpt_zoo.config.position.base import PositionConfig
from gpt_zoo.config.position.learned import LearnedPositionConfig
from gpt_zoo.layers.activations import ACTIVATIONS

KeyPath = tuple[int | str, ...]

LAYER_KEYS = ("n_heads", "drop_rate", "qkv_bias", "activation", "attention", "norm", "feed_forward", "block")
"""What a single layer may have otherwise than the rest."""


class GPTConfig(Declared):
    """A decoder-only transformer. The first seven fields are those of the well-known GPT-2 dict.

    Raises:
        pydantic.ValidationError: (a ValueError) unknown keys, wrong types, or rules between fields that are
            broken, in the model or in one of its layers.
    """

    vocab_size: PositiveInt
    """Number of token ids."""
    context_length: PositiveInt
    """The longest sequence, in tokens."""
    emb_dim: PositiveInt
    """D, the width of the residual stream."""
    n_heads: PositiveInt
    """H, the number of query heads; divides `emb_dim`."""
    n_layers: PositiveInt
    drop_rate: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Probability of dropout: on embeddings, attention weights, and what each branch adds to the residual."""
    qkv_bias: bool = False
    """Whether query, key and value projections have a bias."""
    activation: str = "gelu_tanh"
    """Name of the feed-forward network's activation."""
    attention: Annotated[AttentionConfig, Slot("attention")] = MultiHeadAttentionConfig()
    position: Annotated[PositionConfig, Slot("position")] = LearnedPositionConfig()
    norm: Annotated[NormConfig, Slot("norm")] = LayerNormConfig()
    feed_forward: Annotated[FeedForwardBaseConfig, Slot("feed_forward")] = FeedForwardConfig()
    block: Annotated[BlockConfig, Slot("block")] = TransformerBlockConfig()
    tie_embeddings: bool = False
    """Whether the head that gives the logits is the token table itself."""
    layers: tuple[dict[str, Any], ...] = ()
    """Overrides of single layers, as partial configs; the list repeats until `n_layers` is filled."""

    @field_validator("activation")
    @classmethod
    def _known_activation(cls, name: str) -> str:
        if name not in ACTIVATIONS:
            message = f"no activation is called `{name}`; {did_you_mean(name, ACTIVATIONS)}"
            raise PydanticCustomError("activation", "{message}", {"message": message})
        return name

    @field_validator("layers")
    @classmethod
    def _known_layer_keys(cls, layers: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        problems = []
        for index, override in enumerate(layers):
            for key in override.keys() - set(LAYER_KEYS):
                message = f"a layer cannot override `{key}`; {did_you_mean(key, LAYER_KEYS)}"
                if key in cls.model_fields:
                    message = (
                        f"`{key}` is the same for all layers; a layer can override {', '.join(LAYER_KEYS)}"
                    )
                problems.append(InitErrorDetails(**{**problem(message), "loc": (index, key)}))
        if problems:
            raise ValidationError.from_exception_data(cls.__name__, problems)
        return layers

    @property
    def pattern(self) -> tuple[GPTConfig, ...]:
        """The layers that repeat over the model, each as the whole config which that layer sees."""
        return self._overridden or (self,)

    @cached_property
    def _overridden(self) -> tuple[GPTConfig, ...]:
        # Never holds the config itself: comparing two configs would compare what they hold, without end.
        base = self.model_dump(exclude={"layers"})
        return tuple(GPTConfig.model_validate(deep_merge(base, override)) for override in self.layers)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with the fields of `update`, which are not validated, and its layers seen anew."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("_overridden", None)
        return copied

    def layer(self, index: int) -> GPTConfig:
        """The config as layer `index`, from 0, sees it."""
        return self.pattern[index % len(self.pattern)]

    def pattern_counts(self) -> list[tuple[GPTConfig, int]]:
        """Each layer of the pattern with the number of times that it stands in the model."""
        full, rest = divmod(self.n_layers, len(self.pattern))
        return [(layer, full + (index < rest)) for index, layer in enumerate(self.pattern)]

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        found = dict(self._layer_problems() if self.layers else self._own_problems())
        if found:
            problems = [
                InitErrorDetails(**{**problem(message), "loc": path}) for path, message in found.items()
            ]
            raise ValidationError.from_exception_data(type(self).__name__, problems)
        return self

    def _own_problems(self) -> Iterator[tuple[KeyPath, str]]:
        """The broken rules of a model whose layers are all alike, each with where to point."""
        for component in (self.attention, self.position, self.norm, self.feed_forward, self.block):
            for rule in component.broken_rules(self):
                yield rule.path, rule.message

    def _layer_problems(self) -> Iterator[tuple[KeyPath, str]]:
        """The same for layers that differ: each is a config of its own.

        What is wrong with one is told at its place in the list, unless it was wrong before the layer's
        overrides: then it is told once, for all layers.
        """
        base = self.model_dump(exclude={"layers"})
        before = dict(self._own_problems())
        for index, override in enumerate(self.layers):
            try:
                GPTConfig.model_validate(deep_merge(base, override))
            except ValidationError as error:
                for line in error.errors():
                    path = line["loc"]
                    yield (path, before[path]) if path in before else (("layers", index, *path), line["msg"])


GPT_CONFIG_124M: dict[str, Any] = {
    "vocab_size": 50257,
    "context_length": 256,
    "emb_dim": 768,
    "n_heads": 12,
    "n_layers": 12,
    "drop_rate": 0.1,
    "qkv_bias": False,
}
"""The smallest GPT-2 with a context of 256 and an untied head, as the plain dict that people pass around."""
