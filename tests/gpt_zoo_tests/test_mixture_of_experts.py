"""A mixture of experts against going through its tokens one by one."""

import copy
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gpt_zoo import GPTConfig, GPTModel, model_cost
from gpt_zoo.layers.feed_forward import MixtureOfExperts


def config_of(**fields: Any) -> GPTConfig:
    mixture = {"kind": "mixture_of_experts", "n_experts": 5, "n_experts_per_token": 2}
    return GPTConfig(
        vocab_size=7, context_length=11, emb_dim=6, n_heads=2, n_layers=2,
        feed_forward=mixture | {"expert": {"kind": "gated", "hidden_dim": 3}} | fields,
    )  # fmt: skip


def build(**fields: Any) -> MixtureOfExperts:
    config = config_of(**fields)
    mixture = config.feed_forward.build(config).double()
    with torch.no_grad():
        for parameter in mixture.parameters():
            parameter.normal_()
    return mixture


def one_by_one(mixture: MixtureOfExperts, x: Tensor) -> Tensor:
    config = mixture.config
    made = []
    for token in x:
        shares = mixture.router(token).softmax(dim=-1)
        ranked = sorted(range(config.n_experts), key=lambda expert: -shares[expert].item())
        chosen = ranked[: config.n_experts_per_token]
        total = sum(shares[expert] for expert in chosen) if config.normalize_weights else 1.0
        out = sum(shares[e] / total * config.weight_scale * mixture.experts[e](token) for e in chosen)
        if mixture.shared is not None:
            gate = mixture.shared_gate(token).sigmoid() if mixture.shared_gate is not None else 1.0
            out = out + gate * mixture.shared(token)
        made.append(out)
    return torch.stack(made)


@given(
    experts=st.integers(1, 6),
    data=st.data(),
    normalize=st.booleans(),
    bias=st.booleans(),
    shared=st.sampled_from(
        [{}, {"shared": {"kind": "plain"}}, {"shared": {"kind": "gated"}, "shared_gate": True}]
    ),
    tokens=st.integers(1, 9),
)
def test_it_equals_going_through_the_tokens(
    experts: int, data: st.DataObject, normalize: bool, bias: bool, shared: dict, tokens: int
) -> None:
    mixture = build(
        n_experts=experts,
        n_experts_per_token=data.draw(st.integers(1, experts)),
        normalize_weights=normalize,
        router_bias=bias,
        weight_scale=1.7,
        **shared,
    )
    x = torch.randn(tokens, 6, dtype=torch.float64)
    torch.testing.assert_close(mixture(x[None])[0], one_by_one(mixture, x), rtol=1e-6, atol=1e-6)


def test_one_expert_for_all_is_a_feed_forward_network() -> None:
    mixture = build(n_experts=1, n_experts_per_token=1)
    x = torch.randn(2, 4, 6, dtype=torch.float64)
    torch.testing.assert_close(mixture(x), mixture.experts[0](x))


def test_the_balance_loss_is_one_if_all_are_equally_busy_and_more_if_one_does_all() -> None:
    mixture = build(n_experts=4, n_experts_per_token=1, balance_loss=1.0).train()
    with torch.no_grad():
        mixture.router.weight.zero_()
        mixture.router.weight[:, :4] = 50 * torch.eye(4)
    mixture(torch.eye(6, dtype=torch.float64)[None, :4])  # each token to its own expert
    assert mixture.balance_loss.item() == pytest.approx(1.0)
    mixture(torch.eye(6, dtype=torch.float64)[None, :1].expand(1, 4, 6))  # all to the first
    assert mixture.balance_loss.item() == pytest.approx(4.0)


def test_the_model_adds_up_the_losses_of_its_layers_in_training_only() -> None:
    config = config_of(balance_loss=0.5)
    model = GPTModel(config)
    ids = torch.randint(0, 7, (2, 11))
    model.eval()(ids)
    assert model.auxiliary_loss() is None
    model.train()(ids)
    losses = [block.feed_forward.balance_loss for block in model.blocks]
    assert model.auxiliary_loss().item() == pytest.approx(sum(losses).item())
    model.auxiliary_loss().backward()
    assert model.blocks[0].feed_forward.router.weight.grad.abs().sum() > 0
    assert (
        GPTModel(
            {"vocab_size": 7, "context_length": 5, "emb_dim": 6, "n_heads": 2, "n_layers": 1}
        ).auxiliary_loss()
        is None
    )


def test_active_parameters_by_hand() -> None:
    # An expert has 3·6·3 = 54 weights; a token leaves 3 of the 5 in each of 2 layers idle.
    cost = model_cost(config_of())
    assert cost.params - cost.params_active == 2 * 3 * 54


def test_a_model_can_be_copied_after_it_was_trained() -> None:
    model = GPTModel(config_of()).train()
    ids = torch.randint(0, 7, (2, 11))
    (model(ids).sum() + model.auxiliary_loss()).backward()
    copied = copy.deepcopy(model)
    assert torch.equal(copied.eval()(ids), model.eval()(ids))
    assert model.auxiliary_loss() is None, "what was learned from is no loss of an evaluation"
