"""What softmax attention may have beside heads, each against its formula."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from gpt_zoo import GPTConfig

WIDTH, TIME = 12, 9


def build(declared: dict[str, Any], **fields: Any) -> torch.nn.Module:
    config = GPTConfig.model_validate(
        {"vocab_size": 2, "context_length": TIME, "emb_dim": WIDTH, "n_heads": 2, "n_layers": 1}
        | {"position": {"kind": "none"}, "norm": {"kind": "rms_norm"}, "attention": declared}
        | fields
    )
    attention = config.attention.build(config).double().eval()
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.normal_()
    return attention


@pytest.fixture
def x() -> Tensor:
    return torch.randn(1, TIME, WIDTH, dtype=torch.float64)


def heads_of(attention, x: Tensor, name: str) -> list[Tensor]:
    """Queries, keys or values of each head, (time, size)."""
    return list(getattr(attention, name)(x)[0].split(attention.head_dim, dim=-1))


def expected(attention, x: Tensor, weigh, turn=lambda name, head: head) -> Tensor:
    """The output, given how the scores (time, time) of a head become weights."""
    future = torch.ones(TIME, TIME).triu(diagonal=1).bool()
    mixed = []
    for head in range(2):
        query, key = (turn(name, heads_of(attention, x, name)[head]) for name in ("query", "key"))
        value = heads_of(attention, x, "value")[head]
        scores = (query @ key.T).masked_fill(future, -math.inf)
        mixed.append(weigh(head, scores) @ value)
    return attention.output(torch.cat(mixed, dim=-1))[None]


def test_a_window_counts_the_token_itself(x: Tensor) -> None:
    attention = build({"kind": "multi_head", "window": 3})
    distance = torch.arange(TIME)[:, None] - torch.arange(TIME)[None]

    def weigh(head: int, scores: Tensor) -> Tensor:
        return (scores / math.sqrt(6)).masked_fill(distance >= 3, -math.inf).softmax(dim=-1)

    torch.testing.assert_close(attention(x), expected(attention, x, weigh))


def test_a_window_of_the_context_is_none(x: Tensor) -> None:
    windowed, full = build({"kind": "multi_head", "window": TIME}), build({"kind": "multi_head"})
    full.load_state_dict(windowed.state_dict())
    assert torch.equal(windowed(x), full(x))


def test_a_scale_of_ones_own(x: Tensor) -> None:
    attention = build({"kind": "multi_head", "scale": 0.25, "head_dim": 4})
    torch.testing.assert_close(
        attention(x), expected(attention, x, lambda head, scores: (0.25 * scores).softmax(dim=-1))
    )


def test_a_soft_cap_bounds_the_scaled_scores(x: Tensor) -> None:
    attention = build({"kind": "multi_head", "softcap": 1.5})

    def weigh(head: int, scores: Tensor) -> Tensor:
        capped = 1.5 * (scores / math.sqrt(6) / 1.5).tanh()
        return torch.where(scores.isinf(), scores, capped).softmax(dim=-1)

    torch.testing.assert_close(attention(x), expected(attention, x, weigh))


def test_a_sink_takes_weight_and_gives_nothing(x: Tensor) -> None:
    attention = build({"kind": "multi_head", "sinks": True})

    def weigh(head: int, scores: Tensor) -> Tensor:
        powers = (scores / math.sqrt(6)).exp()
        return powers / (powers.sum(dim=-1, keepdim=True) + attention.sinks[head].exp())

    torch.testing.assert_close(attention(x), expected(attention, x, weigh))


def test_norms_of_queries_and_keys_by_head_and_over_the_width(x: Tensor) -> None:
    attention = build({"kind": "multi_head", "qk_norm": "head"})

    def normed(name: str, x: Tensor) -> Tensor:
        rms = (x.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt()
        return x / rms * getattr(attention, f"{name}_norm").scale

    def softmax(head: int, scores: Tensor) -> Tensor:
        return (scores / math.sqrt(6)).softmax(dim=-1)

    torch.testing.assert_close(attention(x), expected(attention, x, softmax, normed))
    attention = build({"kind": "multi_head", "qk_norm": "width"})
    query, key = (normed(name, getattr(attention, name)(x)[0]) for name in ("query", "key"))
    mixed = []
    future = torch.ones(TIME, TIME).triu(diagonal=1).bool()
    for part in (slice(0, 6), slice(6, 12)):
        scores = (query[:, part] @ key[:, part].T / math.sqrt(6)).masked_fill(future, -math.inf)
        mixed.append(scores.softmax(dim=-1) @ attention.value(x)[0][:, part])
    torch.testing.assert_close(attention(x), attention.output(torch.cat(mixed, dim=-1))[None])


def test_a_clip_bounds_what_is_projected(x: Tensor) -> None:
    attention = build({"kind": "multi_head", "clip": 0.5})
    inside = build({"kind": "multi_head"})
    inside.load_state_dict(attention.state_dict())
    for name in ("query", "key", "value"):
        getattr(inside, name).register_forward_hook(lambda module, args, out: out.clamp(-0.5, 0.5))
    torch.testing.assert_close(attention(x), inside(x))


def test_biases_of_each_projection_on_its_own() -> None:
    attention = build({"kind": "multi_head", "key_bias": False, "out_bias": False}, qkv_bias=True)
    names = ("query", "key", "value", "output")
    assert [getattr(attention, name).bias is not None for name in names] == [True, False, True, False]


@pytest.mark.parametrize("query_rank", [None, 5])
@pytest.mark.parametrize("rope_head_dim", [0, 4])
def test_latent_attention_is_that_of_the_expanded_heads(
    x: Tensor, query_rank: int | None, rope_head_dim: int
) -> None:
    # DeepSeek-AI 2024, equations 9 to 19: keys and values of each head from the compressed vector, one turned
    # for all of them.
    d, v, c, r = 6, 3, 7, rope_head_dim
    sizes = {"kv_rank": c, "head_dim": d, "rope_head_dim": r, "value_head_dim": v, "query_rank": query_rank}
    attention = build({"kind": "latent"} | sizes, position={"kind": "rotary" if r else "none"})
    down = attention.kv_down(x)
    expanded = attention.kv_up(attention.kv_down_norm(down[..., :c]))[0].view(TIME, 2, d + v)
    if query_rank is None:
        queries = attention.query(x)
    else:
        queries = attention.query_up(attention.query_down_norm(attention.query_down(x)))
    queries = queries[0].view(TIME, 2, d + r)

    def turned(part: Tensor) -> Tensor:
        if not r:
            return part
        angles = torch.arange(TIME)[:, None] * torch.tensor([1.0, 0.01])
        cos, sin, first, second = angles.cos(), angles.sin(), part[:, :2], part[:, 2:]
        return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)

    shared_key = turned(down[0, :, c:])
    future = torch.ones(TIME, TIME).triu(diagonal=1).bool()
    mixed = []
    for head in range(2):
        scores = queries[:, head, :d] @ expanded[:, head, :d].T + turned(queries[:, head, d:]) @ shared_key.T
        weights = (scores / math.sqrt(d + r)).masked_fill(future, -math.inf).softmax(dim=-1)
        mixed.append(weights @ expanded[:, head, d:])
    torch.testing.assert_close(
        attention(x), attention.output(torch.cat(mixed, dim=-1))[None], rtol=1e-6, atol=1e-6
    )
