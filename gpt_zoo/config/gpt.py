"""The config of a whole model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from gpt_zoo.config import kinds  # noqa: F401 - makes the shipped kinds known
from gpt_zoo.config.attention.base import AttentionConfig
from gpt_zoo.config.attention.multi_head import MultiHeadAttentionConfig
from gpt_zoo.config.base import Declared, did_you_mean, problem
from gpt_zoo.config.block.base import BlockConfig
from gpt_zoo.config.block.sequential import TransformerBlockConfig
from gpt_zoo.config.embedding.token import TokenEmbeddingConfig
from gpt_zoo.config.feed_forward.base import FeedForwardBaseConfig
from gpt_zoo.config.feed_forward.plain import FeedForwardConfig
from gpt_zoo.config.frozen import freeze
from gpt_zoo.config.head.linear import LinearHeadConfig
from gpt_zoo.config.layer_plan import (
    AT,
    KeyPath,
    LayerPlan,
    Override,
    unknown_keys,
    wrong_places,
)
from gpt_zoo.config.norm.base import NormConfig
from gpt_zoo.config.norm.layer_norm import LayerNormConfig
from gpt_zoo.config.position.base import EmbeddedPositionConfig, PositionConfig
from gpt_zoo.config.position.learned import LearnedPositionConfig
from gpt_zoo.config.slot import Slot
from gpt_zoo.layers.activations import ACTIVATIONS
from gpt_zoo.layers.initializations import INITIALIZATIONS

Seen = tuple[tuple["GPTConfig", ...], tuple[int, ...], tuple[int, ...]]
"""The layers that differ, which of them each layer is, and how many layers are each of them."""
LAYER = "layer"
"""In the context of a validation: the config is that of a single layer."""
COMPONENTS = ("attention", "position", "norm", "feed_forward", "block", "embedding", "head")
"""In the order in which their rules are checked."""
MODEL_COMPONENTS = ("norm", "embedding", "head")
"""Those that a model has beside its layers."""
MOST_LAYERS = 10_000
Size = Annotated[PositiveInt, Field(le=2**31)]
"""More than anybody builds: a mistyped number is told, and not multiplied out."""


class GPTConfig(Declared):
    """A decoder-only transformer. The first seven fields are those of the well-known GPT-2 dict.

    Raises:
        pydantic.ValidationError: (a ValueError) unknown keys, wrong types, or rules between fields that are
            broken, in the model or in one of its layers.
    """

    vocab_size: Size
    """Number of token ids."""
    context_length: Size
    """The longest sequence, in tokens."""
    emb_dim: Size
    """D, the width of the residual stream."""
    n_heads: Size
    """H, the number of query heads; divides `emb_dim` unless `attention.head_dim` is given."""
    n_layers: Annotated[PositiveInt, Field(le=MOST_LAYERS)]
    """Number of layers."""
    drop_rate: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Probability of dropout: on embeddings, attention weights, and what each branch adds to the residual."""
    qkv_bias: bool = False
    """Whether query, key and value projections have a bias."""
    activation: str = "gelu_tanh"
    """Name of the feed-forward network's activation."""
    attention: Annotated[AttentionConfig, Slot("attention", "multi_head")] = MultiHeadAttentionConfig()
    """How tokens are mixed."""
    position: Annotated[PositionConfig, Slot("position", "learned")] = LearnedPositionConfig()
    """How the order of tokens is known."""
    norm: Annotated[NormConfig, Slot("norm", "layer_norm")] = LayerNormConfig()
    """What keeps activations in bounds, everywhere in a layer and before the head."""
    feed_forward: Annotated[FeedForwardBaseConfig, Slot("feed_forward", "plain")] = FeedForwardConfig()
    """What happens to each token on its own."""
    block: Annotated[BlockConfig, Slot("block", "sequential")] = TransformerBlockConfig()
    """How attention, feed-forward and norms are joined."""
    embedding: Annotated[TokenEmbeddingConfig, Slot("embedding", "token")] = TokenEmbeddingConfig()
    """From token ids to the residual stream."""
    head: Annotated[LinearHeadConfig, Slot("head", "linear")] = LinearHeadConfig()
    """From the residual stream to logits."""
    tie_embeddings: bool = False
    """Whether the head that gives the logits is the token table itself."""
    final_norm: bool = True
    """Whether a norm stands between the last layer and the head."""
    initialization: str = "gpt2"
    """Name of the rule for the values that weights start from."""
    layers: tuple[Override, ...] = ()
    """Overrides of layers, as partial configs; the list repeats until `n_layers` is filled."""
    single_layers: tuple[Override, ...] = ()
    """Overrides of the layers that `at` names, as `{at: 0, ...}` or `{at: [0, -1], ...}`, laid over
    `layers`."""

    @field_validator("activation", "initialization")
    @classmethod
    def _known_name(cls, name: str, info: ValidationInfo) -> str:
        known: Iterable[str] = ACTIVATIONS if info.field_name == "activation" else INITIALIZATIONS
        if name not in known:
            message = f"no {info.field_name} is called `{name}`; {did_you_mean(name, known)}"
            raise PydanticCustomError("name", "{message}", {"message": message})
        return name

    @field_validator("layers", "single_layers")
    @classmethod
    def _known_layer_keys(cls, layers: tuple[Override, ...], info: ValidationInfo) -> tuple[Override, ...]:
        also = AT if info.field_name == "single_layers" else ""
        if problems := list(unknown_keys(layers, set(cls.model_fields), also)):
            raise ValidationError.from_exception_data(cls.__name__, problems)
        return tuple(freeze(override) for override in layers)

    @property
    def distinct_layers(self) -> list[tuple[GPTConfig, int]]:
        """The layers that differ, in order, each as the whole config which it sees; how many are so."""
        configs, _, counts = self._layers_seen
        return list(zip(configs, counts, strict=True)) if configs else [(self, self.n_layers)]

    @property
    def layer_numbers(self) -> Sequence[int]:
        """Which of `distinct_layers` each layer is."""
        return self._layers_seen[1] or (0,) * self.n_layers

    def layer(self, index: int) -> GPTConfig:
        """The config as layer `index`, from 0, sees it."""
        configs, numbers, _ = self._layers_seen
        return configs[numbers[index]] if configs else self

    @cached_property
    def _layers_seen(self) -> Seen:
        # Never holds the config itself: comparing two configs would compare what they hold, without end.
        if not (self.layers or self.single_layers):
            return (), (), ()
        plan, base = self._plan, self._base
        return _seen(plan, [GPTConfig.model_validate(plan.lay(recipe, base)) for recipe in plan.distinct])

    @property
    def _plan(self) -> LayerPlan:
        return LayerPlan(self.layers, self.single_layers, self.n_layers)

    @property
    def _base(self) -> dict[str, Any]:
        """What layers override: the config without those that differ.

        What no layer overrides is there as it is, and not validated again for each.
        """
        overridden = {key for override in (*self.layers, *self.single_layers) for key in override}
        same = type(self).model_fields.keys() - {"layers", "single_layers"} - overridden
        return self.model_dump(include=overridden) | {name: getattr(self, name) for name in same}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with the fields of `update`, which are not validated, and its layers seen anew."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("_layers_seen", None)
        return copied

    @model_validator(mode="after")
    def _check_rules(self, info: ValidationInfo) -> Self:
        differ = self.layers or self.single_layers
        in_layer = info.context is not None and LAYER in info.context
        if found := dict(self._layer_problems() if differ else self._own_problems(in_layer)):
            problems = [
                InitErrorDetails(**{**problem(message), "loc": path}) for path, message in found.items()
            ]
            raise ValidationError.from_exception_data(type(self).__name__, problems)
        return self

    def _own_problems(self, in_layer: bool = False) -> Iterator[tuple[KeyPath, str]]:
        """The broken rules of a model whose layers are all alike, each with where to point.

        Args:
            in_layer: Whether this is the config of a single layer, which cannot change what all share.
        """
        for name in COMPONENTS:
            for rule in getattr(self, name).broken_rules(self):
                yield rule.path, rule.message if in_layer else rule.message + rule.for_all

    def _layer_problems(self) -> Iterator[tuple[KeyPath, str]]:
        """The same for layers that differ: each is a config of its own.

        What is wrong with one is told at its override, unless it was wrong before the layer's overrides: then
        it is told once, for all layers.
        """
        if misplaced := list(self.misplaced()):
            yield from misplaced
            return
        before, plan, base = dict(self._own_problems()), self._plan, self._base
        for name in MODEL_COMPONENTS:
            for rule in getattr(self, name).broken_rules(self):
                yield rule.path, rule.message
        seen = []
        for recipe in plan.distinct:
            try:
                layer = GPTConfig.model_validate(plan.lay(recipe, base), context={LAYER: True})
                seen.append((recipe, layer))
            except ValidationError as error:
                for line in error.errors():
                    path = line["loc"]
                    told = (path, before[path]) if path in before else None
                    yield told or ((*plan.place(recipe), *path), line["msg"])
        if len(seen) == len(plan.distinct):  # so that nobody has to validate them again
            self.__dict__["_layers_seen"] = _seen(plan, [layer for _, layer in seen])
        shapes = [shape for _, layer in seen if (shape := layer.attention.shared_values(layer))]
        for recipe, layer in seen:
            for path, message in self.misfits(layer, shapes):
                yield (*plan.place(recipe), *path), message

    def misplaced(self) -> Iterator[tuple[KeyPath, str]]:
        """Overrides for layers that the model does not have."""
        if len(self.layers) > self.n_layers:
            yield (
                ("layers",),
                f"the pattern of `layers` must fit into `n_layers`, got {len(self.layers)} overrides for "
                f"{self.n_layers} layers; try n_layers {len(self.layers)}, or leave out the last "
                f"{len(self.layers) - self.n_layers}",
            )
        yield from wrong_places(self.single_layers, self.n_layers)

    def misfits(self, layer: GPTConfig, shapes: list[tuple[int, int]]) -> Iterator[tuple[KeyPath, str]]:
        """What a layer may be on its own, but not in this model.

        Args:
            shapes: Of the values that layers share, in their order.
        """
        if isinstance(layer.position, EmbeddedPositionConfig) and layer.position != self.position:
            yield (
                ("position",),
                f"{layer.position.kind} positions are added to the embeddings, so they are the model's own; "
                "a layer can have rotary, alibi or none",
            )
        own = layer.attention.shared_values(layer)
        if own and own != shapes[0]:
            yield (
                ("attention", "value_residual"),
                "layers that mix in the first one's values need as many value heads of the same size, got "
                f"{own[0]} of {own[1]}, and {shapes[0][0]} of {shapes[0][1]} in the first such layer; try "
                "value_residual false here",
            )


def _seen(plan: LayerPlan, layers: list[GPTConfig]) -> Seen:
    numbers = {recipe: number for number, recipe in enumerate(plan.distinct)}
    counts = Counter(plan.recipes)
    return (
        tuple(layers),
        tuple(numbers[recipe] for recipe in plan.recipes),
        tuple(counts[recipe] for recipe in plan.distinct),
    )


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
