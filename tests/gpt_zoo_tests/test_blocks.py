"""How the parts of a layer are joined, against the formulas."""

from typing import Any

import pytest
import torch
from model_probes import random_ids, randomized
from torch import Tensor

from gpt_zoo import GPTConfig, GPTModel

SMALL = {"vocab_size": 13, "context_length": 7, "emb_dim": 12, "n_heads": 2, "n_layers": 3}


def build(**fields: Any) -> GPTModel:
    return randomized(GPTModel(SMALL | fields)).eval()


@pytest.fixture
def x() -> Tensor:
    return torch.randn(2, 5, 12, dtype=torch.float64)


def test_pre_norm(x: Tensor) -> None:
    b = build().blocks[0]
    h = x + b.attention(b.attention_norm(x))
    torch.testing.assert_close(b(x), h + b.feed_forward(b.feed_forward_norm(h)))


def test_post_norm(x: Tensor) -> None:
    b = build(block={"kind": "sequential", "norm_placement": "post"}).blocks[0]
    h = b.attention_norm(x + b.attention(x))
    torch.testing.assert_close(b(x), b.feed_forward_norm(h + b.feed_forward(h)))


def test_reordered_norm(x: Tensor) -> None:
    b = build(block={"kind": "sequential", "norm_placement": "reordered"}).blocks[0]
    h = x + b.attention_output_norm(b.attention(x))
    torch.testing.assert_close(b(x), h + b.feed_forward_output_norm(b.feed_forward(h)))


def test_sandwich_norm(x: Tensor) -> None:
    b = build(block={"kind": "sequential", "norm_placement": "sandwich"}).blocks[0]
    h = x + b.attention_output_norm(b.attention(b.attention_norm(x)))
    torch.testing.assert_close(b(x), h + b.feed_forward_output_norm(b.feed_forward(b.feed_forward_norm(h))))


def test_parallel_with_one_norm_and_with_two(x: Tensor) -> None:
    b = build(block={"kind": "parallel"}).blocks[0]
    n = b.attention_norm(x)
    torch.testing.assert_close(b(x), x + b.attention(n) + b.feed_forward(n))
    b = build(block={"kind": "parallel", "shared_norm": False}).blocks[0]
    torch.testing.assert_close(
        b(x), x + b.attention(b.attention_norm(x)) + b.feed_forward(b.feed_forward_norm(x))
    )


@pytest.mark.parametrize("kind", ["sequential", "parallel"])
def test_the_residual_multiplier_is_on_what_is_added(x: Tensor, kind: str) -> None:
    # A branch that is multiplied by 0.5 is one whose output map is halved.
    halved = build(block={"kind": kind, "residual_multiplier": 0.5})
    whole = GPTModel(SMALL | {"block": {"kind": kind}}).double().eval()
    whole.load_state_dict(halved.state_dict())
    with torch.no_grad():
        for block in whole.blocks:
            for branch in (block.attention, block.feed_forward):
                branch.output.weight.mul_(0.5)
                branch.output.bias.mul_(0.5)
    torch.testing.assert_close(halved.blocks[0](x), whole.blocks[0](x))


def test_layers_read_a_mix_of_the_stream_and_the_embeddings() -> None:
    mixing = build(block={"kind": "sequential", "embedding_residual": True})
    plain = GPTModel(SMALL).double().eval()
    plain.load_state_dict({k: v for k, v in mixing.state_dict().items() if "embedding_mix" not in k})
    ids = random_ids(mixing.config, batch=2)
    x = embedded = plain.token_table(ids) + plain.position(torch.arange(7)[None])
    for block, mixed in zip(plain.blocks, mixing.blocks, strict=True):
        x = block(mixed.embedding_mix[0] * x + mixed.embedding_mix[1] * embedded)
    torch.testing.assert_close(mixing(ids), plain.head(plain.final_norm(x)))


def test_embedding_residuals_start_as_no_residuals() -> None:
    torch.manual_seed(1)
    mixing = GPTModel(SMALL | {"block": {"kind": "sequential", "embedding_residual": True}}).eval()
    torch.manual_seed(1)
    plain = GPTModel(SMALL).eval()
    ids = random_ids(plain.config)
    assert torch.equal(mixing(ids), plain(ids))


def test_values_are_a_mix_of_the_layers_own_and_the_first_ones() -> None:
    model = build(attention={"kind": "grouped_query", "n_kv_heads": 1, "value_residual": True})
    plain = GPTModel(SMALL | {"attention": {"kind": "grouped_query", "n_kv_heads": 1}}).double().eval()
    plain.load_state_dict({k: v for k, v in model.state_dict().items() if "value_mix" not in k})
    ids = random_ids(model.config, batch=2)
    first: list[Tensor] = []
    for block, mixed in zip(plain.blocks, model.blocks, strict=True):

        def mix(module, args, own, weights=mixed.attention.value_mix):
            first.append(own)
            return weights[0] * own + weights[1] * first[0]

        block.attention.value.register_forward_hook(mix)
    torch.testing.assert_close(model(ids), plain(ids))


def test_final_norm_or_none() -> None:
    model = build(final_norm=False)
    ids = random_ids(model.config)
    x = model.token_table(ids) + model.position(torch.arange(7)[None])
    for block in model.blocks:
        x = block(x)
    torch.testing.assert_close(model(ids), model.head(x))


def test_embedding_and_head_as_declared() -> None:
    # Factorised, scaled, normalised and padded in front; projected, biased, scaled and capped behind.
    model = build(
        embedding={"kind": "token", "dim": 5, "multiplier": "sqrt_dim", "norm": True, "pad_to": 8},
        head={"kind": "linear", "dim": 5, "bias": True, "multiplier": 0.25, "softcap": 2.0},
        tie_embeddings=True,
        position={"kind": "none"},
        n_layers=1,
    )
    assert model.token_table.weight.shape == (16, 5)
    ids = random_ids(model.config, batch=2)
    table = model.token_table.weight
    x = model.token_table.norm(12**0.5 * table[ids] @ model.token_table.projection.weight.T)
    x = model.final_norm(model.blocks[0](x)) @ model.head.projection.weight.T
    logits = 0.25 * (x @ table.T + model.head.bias)
    torch.testing.assert_close(model(ids), (2 * (logits / 2).tanh())[..., :13])
    assert GPTConfig.model_validate(model.config.model_dump()) == model.config
