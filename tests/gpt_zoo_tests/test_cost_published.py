"""Costs of published models, from their papers and model cards, and by hand."""

from typing import Any

import pytest
from model_probes import build_empty, unique_numel
from torch import nn

from gpt_zoo import GPT_CONFIG_124M, GPTConfig, model_cost

GPT2 = {"vocab_size": 50257, "context_length": 1024, "qkv_bias": True, "tie_embeddings": True}
LLAMA = {
    "vocab_size": 32000,
    "qkv_bias": False,
    "activation": "silu",
    "position": {"kind": "rotary"},
    "norm": {"kind": "rms_norm"},
}


def llama(heads: int, kv_heads: int, hidden: int, **fields: Any) -> GPTConfig:
    attention = {"kind": "grouped_query", "n_kv_heads": kv_heads, "out_bias": False}
    feed_forward = {"kind": "gated", "hidden_dim": hidden, "bias": False}
    return GPTConfig.model_validate(
        LLAMA | {"n_heads": heads, "attention": attention, "feed_forward": feed_forward} | fields
    )


LLAMA_2_7B = llama(32, 32, 11008, emb_dim=4096, n_layers=32, context_length=4096)
MISTRAL_7B = llama(32, 8, 14336, emb_dim=4096, n_layers=32, context_length=8192)
PUBLISHED = {
    "gpt2": (GPTConfig(**GPT2, n_layers=12, n_heads=12, emb_dim=768), 124_439_808),
    "gpt2-medium": (GPTConfig(**GPT2, n_layers=24, n_heads=16, emb_dim=1024), 354_823_168),
    "gpt2-large": (GPTConfig(**GPT2, n_layers=36, n_heads=20, emb_dim=1280), 774_030_080),
    "gpt2-xl": (GPTConfig(**GPT2, n_layers=48, n_heads=25, emb_dim=1600), 1_557_611_200),
    "tinyllama-1.1b": (llama(32, 4, 5632, emb_dim=2048, n_layers=22, context_length=2048), 1_100_048_384),
    "llama-2-7b": (LLAMA_2_7B, 6_738_415_616),
    "mistral-7b": (MISTRAL_7B, 7_241_732_096),
    "llama-3-8b": (
        llama(32, 8, 14336, emb_dim=4096, n_layers=32, context_length=8192, vocab_size=128_256),
        8_030_261_248,
    ),
    "qwen2-0.5b": (  # biases on queries, keys and values only; tied
        llama(
            14, 2, 4864, emb_dim=896, n_layers=24, context_length=32_768, vocab_size=151_936,
            qkv_bias=True, tie_embeddings=True,
        ),
        494_032_768,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_parameter_counts_to_the_last_one(name: str) -> None:
    config, published = PUBLISHED[name]
    assert model_cost(config).params == published
    assert unique_numel(build_empty(config)) == published


def test_the_124m_config_by_hand() -> None:
    tables = 2 * 50257 * 768 + 256 * 768  # tokens, untied head, positions
    attention = 3 * 768 * 768 + (768 * 768 + 768)  # the output has a bias, the rest has none
    feed_forward = (768 * 3072 + 3072) + (3072 * 768 + 768)
    norms = 2 * 2 * 768
    blocks = 12 * (attention + feed_forward + norms)
    cost = model_cost(GPTConfig.model_validate(GPT_CONFIG_124M))
    assert cost.params == tables + blocks + 2 * 768 == 162_419_712
    assert cost.params_non_embedding == blocks + 2 * 768 == 85_028_352


def test_tinyllama_by_hand() -> None:
    attention = 2 * 2048 * 2048 + 2 * 2048 * (4 * 64)  # queries and output; keys and values of 4 heads of 64
    layer = attention + 3 * 2048 * 5632 + 2 * 2048
    config, _ = PUBLISHED["tinyllama-1.1b"]
    assert model_cost(config).params == 2 * 32000 * 2048 + 22 * layer + 2048
    assert model_cost(config).params_non_embedding == 22 * layer + 2048


def test_published_key_value_caches() -> None:
    # 2 · 32 layers · 32 heads · 128 · 2 bytes, and a quarter with 8 heads.
    assert model_cost(LLAMA_2_7B).kv_cache_bytes_per_token == 524_288
    assert model_cost(MISTRAL_7B).kv_cache_bytes_per_token == 131_072
    # Llama 2 with its context of 4096 and a batch of 4: 8 GiB in 16 bits, 16 GiB in 32.
    assert model_cost(LLAMA_2_7B, batch_size=4).kv_cache_bytes == 8 * 2**30
    assert model_cost(LLAMA_2_7B, batch_size=4, bytes_per_value=4).kv_cache_bytes == 16 * 2**30


def test_flops_by_hand() -> None:
    # Widths 6 (2 heads of 3, one key/value head) and 10, vocabulary 11, 2 layers, 4 tokens.
    config = GPTConfig(
        vocab_size=11, context_length=5, emb_dim=6, n_heads=2, n_layers=2, qkv_bias=True,
        attention={"kind": "grouped_query", "n_kv_heads": 1},
        feed_forward={"kind": "gated", "hidden_dim": 10},
        layers=[
            {},
            {"attention": {"kind": "multi_head"}, "feed_forward": {"kind": "plain", "hidden_dim": 9}},
        ],
    )  # fmt: skip
    first = 6 * 6 + 2 * 6 * 3 + 6 * 6 + 3 * 6 * 10  # query, key and value, output, three matrices
    second = 4 * 6 * 6 + 2 * 6 * 9
    logits = 6 * 11
    linear = 4 * (first + second + logits)
    pairs = 2 * (2 * 3)  # for each pair of tokens: 2 heads of 3, for the score and for the value
    cost = model_cost(config, context_length=4, batch_size=7)
    assert cost.flops_forward == 2 * (linear + 2 * pairs * 16) == 2 * (2424 + 384)
    assert cost.flops_forward_causal == 2 * (linear + 2 * pairs * 10)  # 1 + 2 + 3 + 4 pairs
    assert cost.flops_train_step == 7 * 3 * 2 * 2808
    assert cost.flops_train_per_token == 3 * 2 * 2808 // 4 == 4212
    assert (cost.context_length, cost.batch_size) == (4, 7)


@pytest.mark.parametrize("name", PUBLISHED)
def test_training_costs_6n_plus_12_lhqt(name: str) -> None:
    # Chowdhery et al. 2022, "PaLM", arXiv:2204.02311, appendix B, where N is what multiplies: without
    # look-ups, norms and biases, with the head even if it is tied.
    config, _ = PUBLISHED[name]
    model = build_empty(config)
    matrices = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    n = sum(matrix.numel() for matrix in matrices)
    layers, heads, head_dim, time = config.n_layers, config.n_heads, config.emb_dim // config.n_heads, 512
    expected = 6 * n + 12 * layers * heads * head_dim * time
    assert model_cost(config, context_length=time).flops_train_per_token == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"context_length": 0}, "at least 1, got 0 and 1"),
        ({"batch_size": 0}, "at least 1, got 1024 and 0"),
        (
            {"context_length": 1025},
            "got 1025 tokens for a context_length of 1024; declare context_length 1025",
        ),
    ],
)
def test_a_length_or_a_batch_that_cannot_be(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model_cost(PUBLISHED["gpt2"][0], **arguments)
