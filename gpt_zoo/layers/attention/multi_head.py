"""Multi-head attention."""

from jaxtyping import Float
from torch import Tensor, nn

from gpt_zoo.config.attention.base import AttentionConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.config.position.base import AttentionPositionConfig
from gpt_zoo.layers.attention.attend import attend_fused


class MultiHeadAttention(nn.Module):
    """Causal attention of several heads, each with a query, a key and a value of its own.

    Source: Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762.
    Symbols: H query heads, K key/value heads (here K = H), d = D / H head size, D model width, T time.
    Cost: D·d·(2H + 2K) weights without biases; attention adds 2·T·H·d MACs per token.

    Args:
        config: The attention's own config.
        model: The model's config as this layer sees it.
    """

    def __init__(self, config: AttentionConfig, model: GPTConfig) -> None:
        super().__init__()
        self.n_heads, self.head_dim = model.n_heads, config.head_dim(model)
        self.n_kv_heads = config.key_value_heads(model)
        self.drop_rate = model.drop_rate
        queries, keys = self.n_heads * self.head_dim, self.n_kv_heads * self.head_dim
        self.query = nn.Linear(model.emb_dim, queries, bias=model.qkv_bias)
        self.key = nn.Linear(model.emb_dim, keys, bias=model.qkv_bias)
        self.value = nn.Linear(model.emb_dim, keys, bias=model.qkv_bias)
        self.output = nn.Linear(queries, model.emb_dim, bias=config.out_bias)
        acts_here = isinstance(model.position, AttentionPositionConfig)
        self.position = model.position.build(self.head_dim, model.context_length) if acts_here else None
        self.attend = attend_fused

    def forward(self, x: Float[Tensor, "batch time emb_dim"]) -> Float[Tensor, "batch time emb_dim"]:
        """Mix each token of `x` with those before it."""
        query = self.query(x).unflatten(-1, (self.n_heads, self.head_dim)).transpose(1, 2)  # (B, H, T, d)
        key = self.key(x).unflatten(-1, (self.n_kv_heads, self.head_dim)).transpose(1, 2)  # (B, K, T, d)
        value = self.value(x).unflatten(-1, (self.n_kv_heads, self.head_dim)).transpose(1, 2)  # (B, K, T, d)
        if self.position is not None:
            query, key = self.position(query, key)
        mixed = self.attend(query, key, value, self.drop_rate if self.training else 0.0)  # (B, H, T, d)
        output: Tensor = self.output(mixed.transpose(1, 2).flatten(-2))  # (B, T, D)
        return output
