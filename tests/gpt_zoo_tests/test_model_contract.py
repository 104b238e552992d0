"""What holds for every model that can be declared."""

import math
from collections.abc import Callable

import pytest
import torch
from config_strategies import NEEDED, SHIPPED_KINDS, config_with, gpt_configs
from hypothesis import assume, given, settings
from model_probes import random_ids, randomized, write_out_attention
from torch.nn import functional as F

from gpt_zoo import GPT_CONFIG_124M, GPTConfig, GPTModel
from gpt_zoo.config.merge import deep_merge
from gpt_zoo.layers.activations import ACTIVATIONS
from gpt_zoo.testing import CHECKS, find_dependence


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@given(config=gpt_configs())
def test_every_model_keeps_the_contract(check: Callable[[GPTConfig], None], config: GPTConfig) -> None:
    check(config)


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_every_kind_sees_all_tokens_before_it(slot: str, kind: str) -> None:
    depends = find_dependence(config_with(slot, kind))
    assert torch.equal(depends, torch.ones_like(depends).tril())


@given(gpt_configs())
def test_a_prefix_has_the_logits_of_the_whole(config: GPTConfig) -> None:
    model = randomized(GPTModel(config)).eval()
    ids = random_ids(config, batch=2)
    whole = model(ids)
    assert whole.shape == (2, config.context_length, config.vocab_size)
    for time in range(1, config.context_length):
        torch.testing.assert_close(model(ids[:, :time]), whole[:, :time], rtol=1e-8, atol=1e-8)


@given(gpt_configs())
def test_sequences_of_a_batch_do_not_see_each_other(config: GPTConfig) -> None:
    model = randomized(GPTModel(config)).eval()
    ids = random_ids(config, batch=3)
    torch.testing.assert_close(model(ids)[1:2], model(ids[1:2]), rtol=1e-8, atol=1e-8)


@given(gpt_configs())
def test_attention_written_out_gives_the_same_logits(config: GPTConfig) -> None:
    model = randomized(GPTModel(config)).eval()
    ids = random_ids(config)
    fused = model(ids)
    torch.testing.assert_close(write_out_attention(model)(ids), fused, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_every_parameter_matters(slot: str, kind: str, activation: str) -> None:
    all_experts = {"feed_forward": {"n_experts_per_token": NEEDED["n_experts"]}}
    config = config_with(slot, kind, activation=activation, qkv_bias=True)
    if kind == "mixture_of_experts":
        config = GPTConfig.model_validate(deep_merge(config.model_dump(), all_experts))
    model = randomized(GPTModel(config))
    model(random_ids(config, batch=4)).sin().sum().backward()
    # It adds the same to all scores of a query, which the softmax takes out again.
    is_idle = config.attention.kind != "gated_linear" and config.position.kind != "rotary"
    for name, parameter in model.named_parameters():
        if name.endswith("attention.key.bias") and is_idle:
            assert parameter.grad.abs().max() < 1e-8
        else:
            assert parameter.grad.abs().max() > 1e-8, name


@given(gpt_configs())
def test_dropout_acts_in_training_only(config: GPTConfig) -> None:
    assume(config.emb_dim > 2)
    model = randomized(GPTModel(config)).eval()
    ids = random_ids(config, batch=16)
    reference = model(ids)
    assert torch.equal(model(ids), reference)
    rates = [config.drop_rate] + [config.layer(index).drop_rate for index in range(config.n_layers)]
    model.train()
    if max(rates) == 0:
        torch.testing.assert_close(model(ids), reference)
    else:
        assert not torch.allclose(model(ids), model(ids), rtol=1e-6, atol=1e-6)


def test_dropout_acts_on_embeddings_weights_and_both_branches() -> None:
    config = config_with("attention", "multi_head", n_layers=1)
    dropped = GPTConfig.model_validate(config.model_dump() | {"drop_rate": 0.5})
    model = GPTModel(dropped).train()
    inputs = {}

    def watch(name: str):
        def hook(module: torch.nn.Module, args: tuple, output: torch.Tensor) -> None:
            inputs.setdefault(name, []).append((args[0], output))

        return hook

    model.dropout.register_forward_hook(watch("embeddings"))
    model.blocks[0].dropout.register_forward_hook(watch("branches"))
    model(random_ids(config, batch=8))
    assert [len(inputs[name]) for name in ("embeddings", "branches")] == [1, 2]
    for before, after in inputs["embeddings"] + inputs["branches"]:
        share = float((after == 0).float().mean())  # 8 · 13 · 24 = 2496 draws
        assert abs(share - 0.5) < 5 * 0.5 / math.sqrt(2496)
        torch.testing.assert_close(after[after != 0], 2 * before[after != 0])


def check_autocast(config: GPTConfig) -> None:
    model = GPTModel(config).train()
    ids = random_ids(config, batch=4)
    exact = model.eval()(ids)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(ids)
    assert logits.dtype == torch.bfloat16
    # bfloat16 has 8 bits: a number is known to 2^-9, and a few dozen of them are added up.
    assert (logits - exact).abs().max() <= 0.05 * exact.abs().max() + 1e-3
    logits.float().square().mean().backward()
    assert all(p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_every_kind_computes_in_mixed_precision(slot: str, kind: str, activation: str) -> None:
    check_autocast(config_with(slot, kind, activation=activation))


@given(gpt_configs())
@settings(max_examples=40)
def test_every_model_computes_in_mixed_precision(config: GPTConfig) -> None:
    assume(config.emb_dim > 2)  # a layer norm of one or two numbers is a step, which magnifies any rounding
    # Larger weights than those of a fresh GPT-2 add up to larger numbers, of which less is known.
    check_autocast(config.model_copy(update={"initialization": "gpt2"}))


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_every_kind_learns_to_recite(slot: str, kind: str) -> None:
    # 12 different tokens in a row: after each, the next is certain. Untrained, the loss is ln 61 = 4.1.
    config = config_with(slot, kind)
    model = GPTModel(config).train()
    ids = torch.randperm(config.vocab_size)[: config.context_length][None]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(100):
        loss = F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1


def test_the_known_dict_builds_a_model_as_it_is() -> None:
    model = GPTModel(GPT_CONFIG_124M)
    logits = model(torch.randint(0, 50257, (2, 64)))
    assert logits.shape == (2, 64, 50257)
    assert model.config == GPTConfig.model_validate(GPT_CONFIG_124M)


@pytest.mark.parametrize(
    ("field", "value", "look"),
    [
        ("vocab_size", 97, lambda model: model.head.out_features),
        ("context_length", 31, lambda model: model.position.table.num_embeddings),
        ("emb_dim", 36, lambda model: model.head.in_features),
        ("n_heads", 3, lambda model: model.blocks[0].attention.n_heads),
        ("n_layers", 3, lambda model: len(model.blocks)),
        ("drop_rate", 0.25, lambda model: model.dropout.p),
        ("qkv_bias", True, lambda model: model.blocks[0].attention.query.bias is not None),
    ],
)
def test_each_field_of_a_handmade_dict_takes_effect(field: str, value: object, look) -> None:
    small = {
        "vocab_size": 101, "context_length": 17, "emb_dim": 24, "n_heads": 4, "n_layers": 2, "drop_rate": 0.0,
        "qkv_bias": False,
    }  # fmt: skip
    assert look(GPTModel(small)) == small[field] != value
    changed = GPTModel(small | {field: value})
    assert look(changed) == value
    assert look(GPTModel(GPTConfig(**small | {field: value}))) == value
    assert changed(torch.zeros(1, 5, dtype=torch.long)).isfinite().all()
