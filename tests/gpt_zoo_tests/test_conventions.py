"""Each convention of training FLOPs, by hand, by its paper's formula, and counted where it can be."""

from typing import Any

import pytest
from config_strategies import config_with, gpt_configs
from hypothesis import given
from hypothesis import strategies as st
from model_probes import random_ids, write_out_attention
from torch.utils.checkpoint import checkpoint, set_checkpoint_early_stop
from torch.utils.flop_counter import FlopCounterMode

from gpt_zoo import GPTConfig, GPTModel, model_cost
from gpt_zoo.cost.conventions import ConventionFlops, count_conventions

# All sizes differ, and heads do not fill the width: 2 heads of 5 in a width of 7.
SMALL = {"vocab_size": 23, "context_length": 13, "emb_dim": 7, "n_heads": 2, "n_layers": 3}
PLAIN = SMALL | {
    "attention": {"kind": "multi_head", "head_dim": 5},
    "feed_forward": {"kind": "plain", "hidden_dim": 11},
    "position": {"kind": "none"},
}
V, T, D, H, K, F, L = 23, 13, 7, 2, 5, 11, 3
MIXTURE = {
    "kind": "mixture_of_experts",
    "n_experts": 4,
    "n_experts_per_token": 2,
    "expert": {"kind": "gated"},
}


def counted(config: dict[str, Any], **asked: Any) -> dict[str, ConventionFlops]:
    found = count_conventions(GPTConfig.model_validate(config), **asked)
    return {one.convention.name: one for one in found}


def test_every_convention_by_hand() -> None:
    windowed = PLAIN | {"layers": [{"attention": {"window": 4}}, {}, {}]}
    found = counted(windowed)
    layer = 4 * D * H * K + 2 * D * F  # weights that multiply
    pair = 2 * H * K  # multiply-accumulates of a query and a key: a score, and a value
    linear = T * (L * layer + V * D)
    in_window = 1 + 2 + 3 + 10 * 4  # of the first layer: thirteen queries see four keys at most
    params = L * (layer + D + F + D + 2 * 2 * D) + 2 * D + 2 * V * D  # biases and norms, both tables
    beside = params - 2 * V * D
    expected = {
        "matmul_full": 6 * (linear + L * pair * T * T),
        "matmul_causal": 6 * (linear + L * pair * 91),
        "matmul_windowed": 6 * (linear + pair * (in_window + 2 * 91)),
        "matmul_recomputed": 8 * (T * L * layer + L * pair * T * T) + 6 * T * V * D,
        "6nd": 6 * params * T,
        "kaplan": 3 * (2 * beside + 2 * L * T * H * K) * T,
        "palm": (6 * params + 12 * L * H * K * T) * T,
        "chinchilla": 6 * (linear + L * pair * T * T) + 6 * T * V * D + 9 * L * H * T * T,
    }
    assert {name: one.flops_train_sequence for name, one in found.items()} == expected
    numbers = {name: one.parameters for name, one in found.items() if one.parameters is not None}
    assert numbers == {"6nd": params, "kaplan": beside, "palm": params}


def test_chinchilla_is_appendix_f_term_by_term() -> None:
    # Hoffmann et al. 2022, arXiv:2203.15556, appendix F: forward FLOPs; the backward pass has twice as many.
    embeddings = 2 * T * V * D
    attention = (
        2 * 3 * T * D * (K * H)  # projections of key, query and value
        + 2 * T * T * (K * H)  # logits
        + 3 * H * T * T  # softmax
        + 2 * T * T * (K * H)  # reductions of the softmax with the values
        + 2 * T * (K * H) * D  # final linear
    )
    dense = 2 * T * (D * F + D * F)
    logits = 2 * T * D * V
    forward = embeddings + L * (attention + dense) + logits
    assert counted(PLAIN)["chinchilla"].flops_train_sequence == 3 * forward


def test_kaplan_without_biases_and_norms_is_table_1() -> None:
    # Kaplan et al. 2020, arXiv:2001.08361, table 1: N = 2·d_model·n_layer·(2·d_attn + d_ff), and a forward
    # pass of 2N + 2·n_layer·n_ctx·d_attn for a token.
    bare = PLAIN | {
        "attention": {"kind": "multi_head", "head_dim": K, "out_bias": False},
        "feed_forward": {"kind": "plain", "hidden_dim": F, "bias": False},
        "norm": {"kind": "none"},
    }
    n = 2 * D * L * (2 * K * H + F)
    found = counted(bare)["kaplan"]
    assert found.parameters == n
    assert found.flops_train_per_token == 3 * (2 * n + 2 * L * T * K * H)


def test_what_chinchilla_counts_outside_of_its_form() -> None:
    # One key/value head, a gate, and two of four experts with their router.
    attention = {"kind": "multi_query", "head_dim": K}
    expert = {"kind": "gated", "hidden_dim": F}
    config = PLAIN | {"attention": attention, "feed_forward": MIXTURE | {"expert": expert}}
    layer = D * (H * K + 2 * K) + H * K * D + 4 * D + 2 * 3 * D * F
    forward = 2 * T * (L * layer + 2 * V * D) + L * (4 * T * T * H * K + 3 * H * T * T)
    assert counted(config)["chinchilla"].flops_train_sequence == 3 * forward


def test_a_mixture_is_counted_with_all_and_with_used_parameters() -> None:
    found = counted(PLAIN | {"feed_forward": MIXTURE})
    cost = model_cost(GPTConfig.model_validate(PLAIN | {"feed_forward": MIXTURE}))
    expert = 3 * D * 24  # 8/3·7 rounded up to a multiple of 8
    assert (
        found["6nd"].parameters - found["6nd_active"].parameters == L * 2 * expert
    )  # two of four idle in each layer
    assert found["6nd"].parameters == cost.params
    for name in ("6nd", "kaplan", "palm"):
        every, used = found[name], found[f"{name}_active"]
        assert every.flops_train_per_token - used.flops_train_per_token == 6 * L * 2 * expert
    assert not any(name.endswith("_active") for name in counted(PLAIN))


def test_formulas_say_nothing_about_models_outside_of_their_form() -> None:
    latent = config_with("attention", "latent").model_dump()
    found = counted(latent)
    assert {name for name, one in found.items() if one.misfit} == {"kaplan", "palm"}
    assert found["palm"].misfit == "made for heads of one size, got latent attention"
    assert found["palm"].flops_train_per_token is found["palm"].parameters is None
    linear = SMALL | {
        "emb_dim": 8,
        "position": {"kind": "none"},
        "layers": [{}, {"attention": {"kind": "gated_linear"}}],
    }
    found = counted(linear, tokens=26)
    assert {name for name, one in found.items() if one.misfit} == {"kaplan", "palm", "chinchilla"}
    assert found["chinchilla"].misfit == "made for a softmax over T x T pairs, got gated_linear attention"
    assert found["chinchilla"].flops_train is None


def test_a_run_is_rounded_once_at_its_end() -> None:
    # Chunks of linear attention are not alike, so a token does not take a whole number of FLOPs.
    fields = {
        "emb_dim": 8,
        "context_length": 37,
        "position": {"kind": "none"},
        "attention": {"kind": "gated_linear"},
    }
    config = GPTConfig.model_validate(SMALL | fields)
    cost = model_cost(config, batch_size=5)
    assert 3 * cost.flops_forward % 37 != 0
    assert cost.flops_train(37 * 1_000_003) == 3 * cost.flops_forward * 1_000_003
    assert cost.flops_train(1) == round(3 * cost.flops_forward / 37)
    assert cost.flops_train(0) == 0
    (headline, *_) = count_conventions(config, tokens=37 * 1_000_003)
    assert headline.flops_train == cost.flops_train(37 * 1_000_003)
    assert headline.flops_train_per_token == pytest.approx(3 * cost.flops_forward / 37, rel=1e-15)


@pytest.mark.parametrize("tokens", [0, -3])
def test_a_run_of_no_tokens_is_refused(tokens: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1 token, got {tokens}; try"):
        counted(PLAIN, tokens=tokens)


def test_a_context_beyond_the_model_is_refused() -> None:
    with pytest.raises(ValueError, match="got 14 tokens for a context_length of 13"):
        counted(PLAIN, context_length=14)


@pytest.mark.parametrize(
    "config",
    [
        config_with("attention", "grouped_query", tie_embeddings=True),
        config_with("feed_forward", "gated", embedding={"dim": 9}, head={"dim": 5}),
    ],
    ids=["grouped_query", "projected"],
)
def test_recomputed_layers_are_what_torch_counts(config: GPTConfig) -> None:
    model = write_out_attention(GPTModel(config)).train()
    for block in model.blocks:
        inside = block.forward
        block.forward = lambda *given, inside=inside: checkpoint(inside, *given, use_reentrant=False)
    with set_checkpoint_early_stop(False), FlopCounterMode(display=False) as counter:
        model(random_ids(config, batch=2)).sum().backward()
    cost = model_cost(config, batch_size=2)
    assert counter.get_total_flops() == cost.flops_train_step_recomputed
    assert cost.flops_train_recomputed(2 * config.context_length) == cost.flops_train_step_recomputed


def pair_macs(layer: GPTConfig) -> int:
    """Multiply-accumulates of a query and a key in all heads: of the score, and of the value."""
    attention = layer.attention
    if attention.kind == "latent":
        return layer.n_heads * (attention.head_dim + attention.rope_head_dim + attention.value_head_dim)
    return 2 * layer.n_heads * (attention.head_dim or layer.emb_dim // layer.n_heads)


@given(gpt_configs(), st.data())
def test_windowed_flops_count_the_pairs_one_by_one(config: GPTConfig, data: st.DataObject) -> None:
    time = data.draw(st.integers(1, config.context_length))
    unseen = 0
    for layer in map(config.layer, range(config.n_layers)):
        if layer.attention.kind != "gated_linear" and layer.attention.window is not None:
            pairs = sum(q - k >= layer.attention.window for q in range(time) for k in range(q + 1))
            unseen += pairs * pair_macs(layer)
    cost = model_cost(config, time)
    assert cost.flops_forward_causal - cost.flops_forward_windowed == 2 * unseen


@given(st.integers(1, 19), st.integers(1, 19))
def test_a_window_that_holds_the_sequence_changes_nothing(time: int, window: int) -> None:
    config = config_with("attention", "grouped_query")
    windowed = GPTConfig.model_validate(config.model_dump() | {"layers": [{"attention": {"window": window}}]})
    cost, wide = model_cost(windowed, time), model_cost(config, time)
    assert (cost.flops_forward_windowed == cost.flops_forward_causal) == (window >= time)
    assert cost.flops_forward_causal == wide.flops_forward_windowed == wide.flops_forward_causal
