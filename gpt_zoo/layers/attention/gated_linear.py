"""Gated linear attention."""

from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from gpt_zoo.config.attention.gated_linear import GatedLinearAttentionConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.layers.cache import StateCache
from gpt_zoo.layers.flow import Flow

TEMPERATURE = 16.0
"""Divides the logarithm of the gates: a state fades slowly at first. Yang et al. 2023, section 4.4."""
LEAST_LOG_GATE = -5.0
"""A step keeps e^-5 = 0.7% of the state at least: over a chunk of 16 tokens nothing overflows."""


class GatedLinearAttention(nn.Module):
    """Each head keeps a matrix S, fades its rows by gates and adds the outer product of key and value.

    S_t = diag(a_t)·S_{t-1} + k_tᵀ·v_t, and token t reads q_t·S_t. What is read is normalised and passes an
    output gate. Within a chunk of C tokens all pairs are multiplied out, weighed by the gates between them;
    from chunk to chunk only S is passed on, so that the cost is linear in time.

    Source: Yang et al. 2023, "Gated Linear Attention Transformers with Hardware-Efficient Training",
        arXiv:2312.06635.
    Symbols: H heads, k size of a query or key, v of a value, r rank of the gates, D model width, C chunk.
    Cost: D·H·(2k + 3v) + D·r + r·H·k weights; C·H·(k + v) + 2·H·k·v MACs per token. Decoding keeps H·k·v
    numbers.

    Args:
        config: The attention's own config.
        model: The model's config as this layer sees it.
    """

    def __init__(self, config: GatedLinearAttentionConfig, model: GPTConfig) -> None:
        super().__init__()
        self.n_heads, self.chunk = model.n_heads, config.chunk
        self.key_dim, self.value_dim = config.head_dims(model)
        keys, values = model.n_heads * self.key_dim, model.n_heads * self.value_dim
        self.query = nn.Linear(model.emb_dim, keys, bias=model.qkv_bias)
        self.key = nn.Linear(model.emb_dim, keys, bias=model.qkv_bias)
        self.value = nn.Linear(model.emb_dim, values, bias=model.qkv_bias)
        self.decay_down = nn.Linear(model.emb_dim, config.gate_rank, bias=False)
        self.decay_up = nn.Linear(config.gate_rank, keys)
        self.gate = nn.Linear(model.emb_dim, values, bias=False)
        self.head_norm = model.norm.build(self.value_dim)
        self.output = nn.Linear(values, model.emb_dim, bias=config.out_bias)

    def new_cache(self, capacity: int) -> StateCache:
        """An empty cache of this layer; it is as large for any number of tokens."""
        return StateCache()

    def forward(
        self,
        x: Float[Tensor, "batch time emb_dim"],
        flow: Flow | None = None,
        cache: StateCache | None = None,
    ) -> Float[Tensor, "batch time emb_dim"]:
        """Mix each token of `x` with those before it, in the cache and in `x`."""
        query, key = self._heads(self.query(x)), self._heads(self.key(x))  # (B, H, T, k) each
        value = self._heads(self.value(x))  # (B, H, T, v)
        log_gates = F.logsigmoid(self._heads(self.decay_up(self.decay_down(x)))) / TEMPERATURE
        log_gates = log_gates.clamp(min=LEAST_LOG_GATE)
        if flow is not None and flow.real is not None:  # padding leaves the state as it is
            padding = ~flow.real[:, None, -x.size(1) :, None]
            key, log_gates = key.masked_fill(padding, 0.0), log_gates.masked_fill(padding, 0.0)
        query = query * self.key_dim**-0.5
        mixed = self._scan(query, key, value, log_gates, cache)  # (B, H, T, v)
        mixed = self.head_norm(mixed.to(x.dtype)) * F.silu(self._heads(self.gate(x)))
        output: Tensor = self.output(mixed.transpose(1, 2).flatten(-2))  # (B, T, D)
        return output

    def _heads(self, x: Tensor) -> Tensor:
        """(B, T, H·n) cut into heads: (B, H, T, n)."""
        return x.view(*x.shape[:-1], self.n_heads, -1).transpose(1, 2)

    def _scan(
        self, query: Tensor, key: Tensor, value: Tensor, log_gates: Tensor, cache: StateCache | None
    ) -> Tensor:
        """What each token reads, chunk by chunk, in float32 at least: products of gates span many orders."""
        dtype = torch.promote_types(torch.float32, query.dtype)
        parts = [torch.split(x.to(dtype), self.chunk, dim=2) for x in (query, key, value, log_gates)]
        state = None if cache is None else cache.state
        read = []
        with _full_precision(query.device.type):
            for number, (q, k, v, log_gate) in enumerate(zip(*parts, strict=True)):
                total = log_gate.cumsum(dim=2)  # (B, H, C, k), all gates up to each token
                faded = q * total.exp()
                pairs = (faded @ (k * (-total).exp()).transpose(-2, -1)).tril()  # (B, H, C, C)
                mixed = pairs @ v
                if state is not None:
                    mixed = mixed + faded @ state
                if cache is not None or number + 1 < len(parts[0]):  # somebody will read it
                    last = total[:, :, -1:]
                    added = (k * (last - total).exp()).transpose(-2, -1) @ v  # (B, H, k, v)
                    state = added if state is None else state * last.transpose(-2, -1).exp() + added
                read.append(mixed)
        if cache is not None:
            cache.state = state
        return torch.cat(read, dim=2)


def _full_precision(device_type: str) -> AbstractContextManager[None]:
    """A stretch of code without autocast, which the meta device does not know."""
    if not torch.amp.is_autocast_available(device_type):
        return nullcontext()
    return torch.autocast(device_type, enabled=False)
