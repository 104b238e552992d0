"""GPTModel against GPT-2 as it can be written in twenty lines of plain functions."""

import math

import pytest
import torch
from model_probes import random_ids, randomized
from torch import Tensor

from gpt_zoo import GPTConfig, GPTModel


def normed(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * scale + shift


def gpt2_logits(w: dict[str, Tensor], ids: Tensor, n_layers: int, n_heads: int) -> Tensor:
    def linear(x: Tensor, name: str) -> Tensor:
        return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", 0.0)

    time = ids.size(1)
    x = w["token_table.weight"][ids] + w["position.table.weight"][:time]
    for i in range(n_layers):
        name = f"blocks.{i}"
        h = normed(x, w[f"{name}.attention_norm.scale"], w[f"{name}.attention_norm.shift"])
        q, k, v = (
            linear(h, f"{name}.attention.{part}").chunk(n_heads, dim=-1) for part in ("query", "key", "value")
        )
        heads = []
        for head in range(n_heads):
            scores = torch.einsum("btd,bsd->bts", q[head], k[head]) / math.sqrt(q[head].size(-1))
            weights = scores.exp() * torch.ones(time, time, dtype=x.dtype).tril()
            heads.append(weights / weights.sum(-1, keepdim=True) @ v[head])
        x = x + linear(torch.cat(heads, dim=-1), f"{name}.attention.output")
        h = normed(x, w[f"{name}.feed_forward_norm.scale"], w[f"{name}.feed_forward_norm.shift"])
        h = linear(h, f"{name}.feed_forward.expand")
        h = h / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3)))
        x = x + linear(h, f"{name}.feed_forward.output")
    return normed(x, w["final_norm.scale"], w["final_norm.shift"]) @ w["head.weight"].T


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("qkv_bias", [False, True])
@pytest.mark.parametrize("time", [1, 2, 11, 13])
def test_logits_are_those_of_gpt2(tied: bool, qkv_bias: bool, time: int) -> None:
    config = GPTConfig(
        vocab_size=37, context_length=13, emb_dim=21, n_heads=3, n_layers=5, drop_rate=0.3,
        qkv_bias=qkv_bias, tie_embeddings=tied,
    )  # fmt: skip
    model = randomized(GPTModel(config)).eval()
    ids = random_ids(config, batch=2, time=time)
    expected = gpt2_logits(model.state_dict(), ids, config.n_layers, config.n_heads)
    torch.testing.assert_close(model(ids), expected, rtol=1e-10, atol=1e-10)
    if tied:
        assert model.head.weight is model.token_table.weight
