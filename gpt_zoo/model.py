"""The whole model."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.position.base import EmbeddedPositionConfig
from gpt_zoo.initialization import initialize_gpt2


class GPTModel(nn.Module):
    """A decoder-only transformer: token ids in, the logits of each next token out.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
    Cost: `gpt_zoo.config.model_cost(config)`.

    Args:
        config: A GPTConfig, or a plain dict of its fields such as `GPT_CONFIG_124M`.

    Raises:
        ValueError: the config breaks a rule; the message says which, and the nearest fix.
    """

    def __init__(self, config: GPTConfig | Mapping[str, Any]) -> None:
        super().__init__()
        config = config if isinstance(config, GPTConfig) else GPTConfig.model_validate(dict(config))
        self.config = config
        self.token_table = nn.Embedding(config.vocab_size, config.emb_dim)
        is_embedded = isinstance(config.position, EmbeddedPositionConfig)
        self.position = config.position.build(config) if is_embedded else None
        self.dropout = nn.Dropout(config.drop_rate)
        layers = [config.layer(index) for index in range(config.n_layers)]
        self.blocks = nn.ModuleList(layer.block.build(layer) for layer in layers)
        self.final_norm = config.norm.build(config.emb_dim)
        self.head = nn.Linear(config.emb_dim, config.vocab_size, bias=False)
        if config.tie_embeddings:
            self.head.weight = self.token_table.weight
        initialize_gpt2(self, config.n_layers)

    def forward(self, ids: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time vocab_size"]:
        """The logits of the token after each token of `ids`.

        Raises:
            ValueError: ids that are no integers, not two-dimensional, empty, longer than the context, or
                outside of the vocabulary.
        """
        check_ids(ids, self.config)
        x = self.token_table(ids)  # (B, T, D)
        if self.position is not None:
            x = x + self.position(ids.size(1))
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.head(self.final_norm(x))  # (B, T, V)
        return logits


def check_ids(ids: Tensor, config: GPTConfig) -> None:
    """Refuse token ids that the model cannot read.

    Raises:
        ValueError: says the rule, the values and the fix.
    """
    if ids.dtype not in (torch.int64, torch.int32):  # the types that an embedding looks up
        raise ValueError(f"token ids must be integers of 64 or 32 bits, got {ids.dtype}; try ids.long()")
    if ids.ndim != 2:
        raise ValueError(
            f"token ids must have the shape (batch, time), got {tuple(ids.shape)}"
            + ("; try ids[None]" if ids.ndim == 1 else "")
        )
    if ids.numel() == 0:
        raise ValueError(f"token ids must not be empty, got the shape {tuple(ids.shape)}")
    if ids.size(1) > config.context_length:
        raise ValueError(
            f"a sequence must fit the context, got {ids.size(1)} tokens for a context_length of "
            f"{config.context_length}; try ids[:, -{config.context_length}:]"
        )
    # The meta device has no values, and a compiled graph would break at a decision on them.
    if ids.is_meta or torch.compiler.is_compiling():
        return
    low, high = (int(value) for value in ids.aminmax())
    if low < 0 or high >= config.vocab_size:
        raise ValueError(
            f"token ids must lie in 0 to {config.vocab_size - 1}, got {low if low < 0 else high}; "
            f"the tokenizer and the model's vocab_size of {config.vocab_size} do not fit"
        )
