"""Multi-head attention."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gpt_zoo.config.attention.heads import HeadsAttentionConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.layers.attention.softmax import SoftmaxAttention
from gpt_zoo.layers.cache import TokenCache
from gpt_zoo.layers.flow import Flow


class MultiHeadAttention(SoftmaxAttention):
    """Causal attention of several heads, each with a query, a key and a value of its own.

    Source: Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762.
    Symbols: H query heads, K key/value heads (here K = H), d head size, D model width, T time, S keys.
    Cost: D·d·(2H + 2K) weights without biases; attention adds 2·T·H·d MACs per token.

    Args:
        config: The attention's own config.
        model: The model's config as this layer sees it.
    """

    def __init__(self, config: HeadsAttentionConfig, model: GPTConfig) -> None:
        super().__init__(config, model)
        self.config = config
        self.n_heads, self.head_dim = model.n_heads, config.query_dim(model)
        self.n_kv_heads = config.key_value_heads(model)
        queries, keys = config.widths(model)
        query_bias, key_bias, value_bias = config.biases(model)
        self.query = nn.Linear(model.emb_dim, queries, bias=query_bias)
        self.key = nn.Linear(model.emb_dim, keys, bias=key_bias)
        self.value = nn.Linear(model.emb_dim, keys, bias=value_bias)
        self.output = nn.Linear(queries, model.emb_dim, bias=config.out_bias)
        widths = {None: (0, 0), "head": (self.head_dim, self.head_dim), "width": (queries, keys)}[
            config.qk_norm
        ]
        self.query_norm, self.key_norm = (model.norm.build(width) if width else None for width in widths)
        self.value_mix = nn.Parameter(torch.full((2,), 0.5)) if config.value_residual else None

    def reset_parameters(self) -> None:
        """Sinks of zero; values half the layer's own, half the first one's."""
        super().reset_parameters()
        if self.value_mix is not None:
            nn.init.constant_(self.value_mix, 0.5)

    def forward(
        self,
        x: Float[Tensor, "batch time emb_dim"],
        flow: Flow | None = None,
        cache: TokenCache | None = None,
    ) -> Float[Tensor, "batch time emb_dim"]:
        """Mix each token of `x` with those before it, in the cache and in `x`."""
        flow = flow or Flow.over(x)
        query = self._heads(self.query(x), self.n_heads, self.query_norm)  # (B, H, T, d)
        key = self._heads(self.key(x), self.n_kv_heads, self.key_norm)  # (B, K, T, d)
        value = self._heads(self.value(x), self.n_kv_heads, None)  # (B, K, T, d)
        if self.value_mix is not None:
            flow.shared_values = value if flow.shared_values is None else flow.shared_values
            value = self.value_mix[0] * value + self.value_mix[1] * flow.shared_values
        query, key = self.turn(query, flow), self.turn(key, flow)
        if cache is not None:
            key, value = cache.append(key, value)  # (B, K, S, d) each
        mixed = self.mix(query, key, value, flow)  # (B, H, T, d)
        output: Tensor = self.output(mixed.transpose(1, 2).flatten(-2))  # (B, T, D)
        return output

    def _heads(self, x: Tensor, heads: int, norm: nn.Module | None) -> Tensor:
        """Projected queries, keys or values, bounded, cut into heads and normalised: (B, heads, T, d)."""
        if self.config.clip is not None:
            x = x.clamp(-self.config.clip, self.config.clip)
        if norm is not None and self.config.qk_norm == "width":
            x = norm(x)
        x = x.view(*x.shape[:-1], heads, self.head_dim)  # (B, T, heads, d)
        if norm is not None and self.config.qk_norm == "head":
            x = norm(x)
        return x.transpose(1, 2)
