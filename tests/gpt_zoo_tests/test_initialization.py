import math

import pytest
import torch
from config_strategies import SHIPPED_KINDS, config_with
from torch import nn

from gpt_zoo import GPTConfig, GPTModel

# Every matrix has at least 64 x 64 numbers: their standard deviation is known to 1 / sqrt(2 · 4096) = 1.1 %.
CONFIG = {
    "vocab_size": 128,
    "context_length": 64,
    "emb_dim": 64,
    "n_heads": 1,
    "n_layers": 8,
    "qkv_bias": True,
}


@pytest.mark.parametrize("feed_forward", ["plain", "gated"])
@pytest.mark.parametrize("tied", [False, True])
def test_weights_are_normal_with_the_spread_of_gpt2(feed_forward: str, tied: bool) -> None:
    config = GPTConfig.model_validate(
        CONFIG | {"feed_forward": {"kind": feed_forward, "bias": True}, "tie_embeddings": tied}
    )
    seen = 0
    for name, module in GPTModel(config).named_modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            # 8 layers of 2 branches add to the residual stream: 0.02 / sqrt(16) = 0.005.
            expected = 0.005 if name.endswith((".attention.output", ".feed_forward.output")) else 0.02
            assert module.weight.std().item() == pytest.approx(expected, rel=0.06), name
            assert abs(module.weight.mean().item()) < 6 * expected / math.sqrt(module.weight.numel()), name
            seen += 1
        if isinstance(module, nn.Linear) and module.bias is not None:
            assert not module.bias.any(), name
    assert seen == 3 + 8 * (4 + (3 if feed_forward == "gated" else 2))


def test_two_layers_start_from_different_values() -> None:
    first, second, *_ = GPTModel(CONFIG).blocks
    assert not torch.equal(first.attention.query.weight, second.attention.query.weight)


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_a_seed_makes_the_same_model_again(slot: str, kind: str) -> None:
    config = config_with(slot, kind)
    states = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        states.append(GPTModel(config).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["token_table.weight"], states[2]["token_table.weight"])


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_a_fresh_model_knows_nothing(slot: str, kind: str) -> None:
    # Its loss is that of guessing, ln V, to within the small spread of its logits.
    config = config_with(slot, kind)
    model = GPTModel(config).eval()
    ids = torch.randint(0, config.vocab_size, (64, config.context_length))
    loss = nn.functional.cross_entropy(
        model(ids).flatten(0, 1), torch.randint_like(ids, config.vocab_size).flatten()
    )
    assert loss.item() == pytest.approx(math.log(config.vocab_size), abs=0.05)
