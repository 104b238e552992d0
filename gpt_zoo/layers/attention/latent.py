"""Multi-head latent attention."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gpt_zoo.config.attention.latent import LatentAttentionConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.layers.attention.attend import attend_written_out
from gpt_zoo.layers.attention.softmax import SoftmaxAttention
from gpt_zoo.layers.cache import TokenCache
from gpt_zoo.layers.flow import Flow


class LatentAttention(SoftmaxAttention):
    """Causal attention whose keys and values are expanded from one compressed vector a token.

    Source: DeepSeek-AI 2024, "DeepSeek-V2", section 2.1, arXiv:2405.04434.
    Symbols: H heads, d and r the parts of a query or key without and with position, v size of a value, c size
        of the compressed vector, q of the compressed queries, D model width, T time, S keys.
    Cost: D·(c + r) + c·H·(d + v) + H·v·D weights, and D·H·(d + r) or (D + H·(d + r))·q for the queries;
        attention adds T·H·(d + r + v) MACs per token. Decoding keeps c + r numbers a token.

    Args:
        config: The attention's own config.
        model: The model's config as this layer sees it.
    """

    def __init__(self, config: LatentAttentionConfig, model: GPTConfig) -> None:
        super().__init__(config, model)
        self.config, self.n_heads = config, model.n_heads
        queries, bias = model.n_heads * config.query_dim(model), model.qkv_bias
        self.compresses_queries = config.query_rank is not None
        if config.query_rank is None:
            self.query = nn.Linear(model.emb_dim, queries, bias=bias)
        else:
            self.query_down = nn.Linear(model.emb_dim, config.query_rank, bias=bias)
            self.query_down_norm = model.norm.build(config.query_rank)
            self.query_up = nn.Linear(config.query_rank, queries, bias=False)
        self.kv_down = nn.Linear(model.emb_dim, config.kv_rank + config.rope_head_dim, bias=bias)
        self.kv_down_norm = model.norm.build(config.kv_rank)
        expanded = model.n_heads * (config.head_dim + config.value_head_dim)
        self.kv_up = nn.Linear(config.kv_rank, expanded, bias=False)
        self.output = nn.Linear(model.n_heads * config.value_head_dim, model.emb_dim, bias=config.out_bias)

    def forward(
        self,
        x: Float[Tensor, "batch time emb_dim"],
        flow: Flow | None = None,
        cache: TokenCache | None = None,
    ) -> Float[Tensor, "batch time emb_dim"]:
        """Mix each token of `x` with those before it, in the cache and in `x`."""
        flow = flow or Flow.over(x)
        key_sizes = [self.config.head_dim, self.config.rope_head_dim]
        query, query_part = torch.split(self._heads(self._queries(x)), key_sizes, dim=-1)  # (B, H, T, d or r)
        down_sizes = [self.config.kv_rank, self.config.rope_head_dim]
        compressed, key_part = torch.split(self.kv_down(x), down_sizes, dim=-1)
        compressed, key_part = self.kv_down_norm(compressed), key_part[:, None]  # (B, T, c), (B, 1, T, r)
        if self.config.rope_head_dim:
            query_part, key_part = self.turn(query_part, flow), self.turn(key_part, flow)
        if cache is not None:
            compressed, key_part = cache.append(compressed, key_part)  # (B, S, c), (B, 1, S, r)
        if cache is not None and x.size(1) == 1 and self.sinks is None:
            mixed = self._mix_compressed(query, query_part, compressed, key_part, flow)  # (B, H, 1, v)
        else:
            up_sizes = [self.config.head_dim, self.config.value_head_dim]
            key, value = torch.split(
                self._heads(self.kv_up(compressed)), up_sizes, dim=-1
            )  # (B, H, S, d or v)
            query = torch.cat((query, query_part), dim=-1)  # (B, H, T, d + r)
            key = torch.cat((key, key_part.expand(-1, self.n_heads, -1, -1)), dim=-1)  # (B, H, S, d + r)
            mixed = self.mix(query, key, value, flow)  # (B, H, T, v)
        output: Tensor = self.output(mixed.transpose(1, 2).flatten(-2))  # (B, T, D)
        return output

    def _mix_compressed(
        self, query: Tensor, query_part: Tensor, compressed: Tensor, key_part: Tensor, flow: Flow
    ) -> Tensor:
        """The same for one new token, whose query is compressed instead of all keys expanded: section 2.1.2.

        q·(U·c) = (Uᵀ·q)·c, and what is mixed of the compressed vectors is expanded afterwards. All heads then
        see the same keys and values: they stand where otherwise the tokens do.
        """
        up = self.kv_up.weight.view(self.n_heads, -1, self.config.kv_rank)  # (H, d + v, c)
        up_key, up_value = up[:, : self.config.head_dim], up[:, self.config.head_dim :]
        query = torch.cat((query @ up_key, query_part), dim=-1).transpose(1, 2)  # (B, 1, H, c + r)
        compressed = compressed[:, None]  # (B, 1, S, c)
        key = torch.cat((compressed, key_part), dim=-1)  # (B, 1, S, c + r)
        mask = self.mask(query, key, flow)
        if mask is None:
            mask = torch.ones(1, 1, 1, key.size(-2), dtype=torch.bool, device=key.device)
        mask = mask.transpose(1, 2)  # (B, 1, H or 1, S)
        mixed = attend_written_out(
            query, key, compressed, mask, scale=self.scale, softcap=self.softcap
        )  # (B, 1, H, c)
        return mixed.transpose(1, 2) @ up_value.transpose(1, 2)  # (B, H, 1, v)

    def _heads(self, x: Tensor) -> Tensor:
        """(B, T, H·n) cut into heads: (B, H, T, n)."""
        return x.view(*x.shape[:-1], self.n_heads, -1).transpose(1, 2)

    def _queries(self, x: Tensor) -> Tensor:
        if self.compresses_queries:
            queries: Tensor = self.query_up(self.query_down_norm(self.query_down(x)))
        else:
            queries = self.query(x)
        return queries
