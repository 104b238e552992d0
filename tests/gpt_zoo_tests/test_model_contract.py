"""What holds for every model that can be declared."""

import math

import pytest
import torch
from config_strategies import SHIPPED_KINDS, config_with, gpt_configs
from hypothesis import assume, given, settings
from model_probes import on_meta, random_ids, randomized, write_out_attention
from torch.nn import functional as F

from gpt_zoo import GPT_CONFIG_124M, GPTConfig, GPTModel
from gpt_zoo.layers.activations import ACTIVATIONS


def check_causality(config: GPTConfig) -> None:
    """The gradient of the logits at t by the embedding of the token at s is zero if s > t, and only then."""
    model = randomized(GPTModel(config)).eval()
    embedded = []
    model.token_table.register_forward_hook(lambda module, inputs, output: embedded.append(output))
    logits = model(random_ids(config))
    weights = torch.randn(config.vocab_size, dtype=torch.float64)  # so that no two gradients cancel
    for t in range(config.context_length):
        (gradient,) = torch.autograd.grad(logits[0, t] @ weights, embedded[0], retain_graph=True)
        depends = [bool(gradient[0, s].any()) for s in range(config.context_length)]
        assert depends == [s <= t for s in range(config.context_length)]


@given(gpt_configs())
def test_a_token_sees_those_before_it_and_none_after(config: GPTConfig) -> None:
    assume(config.emb_dim > 2)  # a layer norm of one or two numbers keeps their signs only
    check_causality(config)


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_every_kind_sees_those_before_it_and_none_after(slot: str, kind: str) -> None:
    check_causality(config_with(slot, kind))


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


@given(gpt_configs())
def test_forward_and_backward_are_finite_and_reach_every_parameter(config: GPTConfig) -> None:
    model = GPTModel(config).train()
    ids = random_ids(config, batch=2)
    loss = F.cross_entropy(model(ids).flatten(0, 1), ids.flatten())
    loss.backward()
    assert loss.isfinite()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_every_parameter_matters(slot: str, kind: str, activation: str) -> None:
    config = config_with(slot, kind, activation=activation, qkv_bias=True)
    model = randomized(GPTModel(config))
    model(random_ids(config, batch=4)).sin().sum().backward()
    for name, parameter in model.named_parameters():
        if name.endswith("key.bias") and config.position.kind != "rotary":
            # It adds the same to all scores of a query, which the softmax takes out again.
            assert parameter.grad.abs().max() < 1e-9
        else:
            assert parameter.grad.abs().max() > 1e-9, name


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


@given(gpt_configs())
def test_models_are_built_on_the_meta_device_and_for_real_alike(config: GPTConfig) -> None:
    shapes = [(name, tensor.shape) for name, tensor in GPTModel(config).state_dict().items()]
    meta = on_meta(config)
    assert [(name, tensor.shape) for name, tensor in meta.state_dict().items()] == shapes
    assert all(tensor.is_meta for tensor in [*meta.parameters(), *meta.buffers()])


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
    check_autocast(config)


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_every_kind_learns_to_recite(slot: str, kind: str) -> None:
    # 12 different tokens in a row: after each, the next is certain. Untrained, the loss is ln 61 = 4.1.
    config = config_with(slot, kind)
    model = GPTModel(config).train()
    ids = torch.randperm(config.vocab_size)[: config.context_length][None]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
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
