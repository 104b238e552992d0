"""The whole model."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from gpt_zoo.allocation import allocate, reset_own
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.position.base import EmbeddedPositionConfig
from gpt_zoo.layers.cache import Cache, places
from gpt_zoo.layers.flow import Flow
from gpt_zoo.layers.initializations import INITIALIZATIONS
from gpt_zoo.token_ids import check_ids, check_mask


class GPTModel(nn.Module):
    """A decoder-only transformer: token ids in, the logits of each next token out.

    Its weights are drawn when it is built, a function of the config and torch's random state alone. Built
    under `torch.device("meta")` it takes no memory; `materialize` then draws what it would have been.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
    Cost: `gpt_zoo.cost.model_cost(config)`.

    Args:
        config: A GPTConfig, or a plain dict of its fields such as `GPT_CONFIG_124M`.

    Raises:
        ValueError: the config breaks a rule; the message says which, and the nearest fix.
    """

    def __init__(self, config: GPTConfig | Mapping[str, Any]) -> None:
        super().__init__()
        config = config if isinstance(config, GPTConfig) else GPTConfig.model_validate(dict(config))
        self.config = config
        device = torch.get_default_device()
        with torch.device("meta"):  # what torch's own modules would draw is drawn over
            self.token_table = config.embedding.build(config)
            is_embedded = isinstance(config.position, EmbeddedPositionConfig)
            self.position = config.position.build(config) if is_embedded else None
            self.dropout = nn.Dropout(config.drop_rate)
            layers = [config.layer(index) for index in range(config.n_layers)]
            self.blocks = nn.ModuleList(layer.block.build(layer) for layer in layers)
            self.final_norm = config.norm.build(config.emb_dim) if config.final_norm else nn.Identity()
            self.head = config.head.build(config)
        self.tie_weights()
        if device.type != "meta":
            self.materialize(device)

    def materialize(self, device: torch.device | str = "cpu") -> "GPTModel":
        """Give the model memory on `device`, and draw its weights anew."""
        allocate(self, device)
        self.tie_weights()
        with torch.no_grad():
            self.reset_parameters()
        return self

    def reset_parameters(self) -> None:
        """Draw all weights by the config's rule.

        Raises:
            ValueError: a module has parameters of its own and no `reset_parameters` to give them values.
        """
        for module in self.modules():
            if module is not self and not isinstance(module, nn.Linear | nn.Embedding):
                reset_own(module)
        INITIALIZATIONS[self.config.initialization](self, self.config)

    def tie_weights(self) -> None:
        """Let the head be the token table, if that was declared."""
        if self.config.tie_embeddings:
            self.head.weight = self.token_table.weight

    def forward(
        self,
        ids: Int[Tensor, "batch time"],
        attention_mask: Bool[Tensor, "batch time"] | Int[Tensor, "batch time"] | None = None,
        cache: Cache | None = None,
        only_last: bool = False,
    ) -> Float[Tensor, "batch time_or_one vocab_size"]:
        """The logits of the token after each token of `ids`.

        Args:
            attention_mask: False or 0 where a token is padding, to the left of its sequence.
            cache: What `new_cache` made. `ids` then go on from the tokens that it has seen.
            only_last: Give the logits after the last token only, as decoding wants them.

        Raises:
            ValueError: ids that are no integers, not two-dimensional, empty, longer than the context, or
                outside of the vocabulary; a mask of another shape, or with padding behind a token.
        """
        check_ids(ids, self.config, 0 if cache is None else cache.length)
        x = self.hidden(ids, attention_mask, cache)
        logits: Tensor = self.head(x[:, -1:] if only_last else x)  # (B, T or 1, V)
        return logits

    def hidden(
        self,
        ids: Int[Tensor, "batch time"],
        attention_mask: Bool[Tensor, "batch time"] | Int[Tensor, "batch time"] | None = None,
        cache: Cache | None = None,
    ) -> Float[Tensor, "batch time emb_dim"]:
        """What the head makes logits of. Arguments are those of `forward`, which checks them: that asks the
        device for the values of `ids`, and a training, which knows its tokens, need not wait for them."""
        real = None if attention_mask is None else check_mask(attention_mask, ids)
        flow = self._flow(ids, real, cache)
        x = self.token_table(ids)  # (B, T, D)
        if self.position is not None:
            x = x + self.position(flow.positions).to(x.dtype)
        x = flow.embedded = self.dropout(x)
        for index, block in enumerate(self.blocks):
            x = block(x, flow, None if cache is None else cache.layers[index])
        if cache is not None:
            cache.finish(ids.size(1))
        normed: Tensor = self.final_norm(x)
        return normed

    def _flow(self, ids: Tensor, real: Tensor | None, cache: Cache | None) -> Flow:
        if real is not None and not torch.compiler.is_compiling() and bool(real.all()):
            real = None  # which needs no mask
        if cache is not None:
            return Flow(*cache.extend(ids, real))
        if real is None:
            return Flow.over(ids)
        positions = places(real)
        return Flow(positions, positions, real)

    def new_cache(self, capacity: int | None = None) -> Cache:
        """An empty cache, which lets `forward` compute new tokens alone.

        Args:
            capacity: Tokens that fit, the context's length unless given; memory grows with it.

        Raises:
            ValueError: the capacity is below 1 or beyond the context.
        """
        capacity = self.config.context_length if capacity is None else capacity
        if not 1 <= capacity <= self.config.context_length:
            raise ValueError(
                f"a cache holds 1 to {self.config.context_length} tokens, the model's context, got {capacity}"
            )
        attentions: list[Any] = [block.attention for block in self.blocks]
        return Cache([attention.new_cache(capacity) for attention in attentions], capacity)

    def auxiliary_loss(self) -> Float[Tensor, ""] | None:
        """What the last training forward adds to its loss so that experts stay equally busy; None without
        experts, and after a forward in evaluation mode."""
        losses = [
            loss
            for block in self.blocks
            if (loss := getattr(block.feed_forward, "balance_loss", None)) is not None
        ]
        return torch.stack(losses).sum() if losses else None
