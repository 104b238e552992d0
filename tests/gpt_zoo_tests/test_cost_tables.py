"""Costs against tables of papers; where a published number does not follow from the others, why."""

from typing import Any

import pytest

import registry
from gpt_zoo import GPTConfig, model_cost
from gpt_zoo.cost.conventions import ConventionFlops, count_6n, count_conventions

PETAFLOP_DAY = 1e15 * 24 * 3600


def counted(config: GPTConfig, tokens: int | None = None) -> dict[str, ConventionFlops]:
    return {one.convention.name: one for one in count_conventions(config, tokens=tokens)}


def digits(number: float, count: int) -> str:
    """A number with `count` significant digits."""
    return f"{number:.{count - 1}E}"


def gpt3(layers: int, width: int, heads: int, head_dim: int, **fields: Any) -> GPTConfig:
    return GPTConfig(
        vocab_size=50257, context_length=2048, emb_dim=width, n_heads=heads, n_layers=layers, qkv_bias=True,
        attention={"kind": "multi_head", "head_dim": head_dim}, tie_embeddings=True, **fields,
    )  # fmt: skip


# Brown et al. 2020, "Language Models are Few-Shot Learners", arXiv:2005.14165: shapes from table 2.1, then
# from table D.1 millions of parameters, how many digits of them are told, PF-days, and FLOPs for 300 billion
# tokens.
GPT3 = {
    "Small": (gpt3(12, 768, 12, 64), 125, 3, "2.60E+00", "2.25E+20"),
    "Medium": (gpt3(24, 1024, 16, 64), 356, 3, "7.42E+00", "6.41E+20"),
    "Large": (gpt3(24, 1536, 16, 96), 760, 3, "1.58E+01", "1.37E+21"),
    # Table 2.1 prints 24 heads of 128, which are wider than the model and give 1.52 billion parameters.
    "XL": (gpt3(24, 2048, 16, 128), 1320, 3, "2.75E+01", "2.38E+21"),
    "2.7B": (gpt3(32, 2560, 32, 80), 2650, 3, "5.52E+01", "4.77E+21"),
    "6.7B": (gpt3(32, 4096, 32, 128), 6660, 3, "1.39E+02", "1.20E+22"),
    # Table 2.1 prints a width of 5140, which 40 heads of 128 do not fill and which gives 12,937 million.
    "13B": (gpt3(40, 5120, 40, 128), 12850, 4, "2.68E+02", "2.31E+22"),
    "175B": (gpt3(96, 12288, 96, 128), 174600, 4, "3.64E+03", "3.14E+23"),
}


@pytest.mark.parametrize("name", GPT3)
def test_gpt3_parameters_and_training_compute(name: str) -> None:
    config, millions, exact, petaflop_days, flops = GPT3[name]
    cost = model_cost(config)
    assert digits(cost.params, exact) == digits(millions * 1e6, exact)
    per_sequence = count_6n(config, cost, millions * 10**6)
    published = per_sequence * 300 * 10**9 // 2048
    assert (digits(published, 3), digits(published / PETAFLOP_DAY, 3)) == (flops, petaflop_days)
    # From parameters that are not rounded the XL takes 2.37E+21: D.1 starts from 1,320 million.
    exactly = counted(config, 300 * 10**9)["6nd"].flops_train
    assert digits(exactly, 3) == ("2.37E+21" if name == "XL" else flops)


def test_shapes_of_gpt3_that_were_misprinted() -> None:
    assert digits(model_cost(gpt3(24, 2048, 24, 128)).params, 3) == "1.52E+09"
    assert digits(model_cost(gpt3(40, 5140, 40, 128)).params, 4) == "1.294E+10"


def palm(layers: int, heads: int, width: int) -> GPTConfig:
    return GPTConfig(
        vocab_size=256_000, context_length=2048, emb_dim=width, n_heads=heads, n_layers=layers,
        attention={"kind": "multi_query", "head_dim": 256, "out_bias": False},
        feed_forward={"kind": "gated", "hidden_dim": 4 * width}, activation="silu",
        position={"kind": "rotary"}, norm={"kind": "rms_norm"}, block={"kind": "parallel"},
        tie_embeddings=True,
    )  # fmt: skip


# Chowdhery et al. 2022, "PaLM", arXiv:2204.02311, table 1.
@pytest.mark.parametrize(
    ("config", "billions"),
    [(palm(32, 16, 4096), 8.63), (palm(64, 32, 8192), 62.50), (palm(118, 48, 18432), 540.35)],
    ids=["8B", "62B", "540B"],
)
def test_palm_parameters(config: GPTConfig, billions: float) -> None:
    # The 540B has 540,356 million; to the printed digit only without the weights of its norms, 2 million.
    norms = (config.n_layers + 1) * config.emb_dim
    assert round((model_cost(config).params - norms) / 1e9, 2) == billions


def test_palm_model_flops_utilization() -> None:
    # Appendix B: 238.3 thousand tokens a second, 6144 chips of 275 TFLOP/s; 46.2%, 45.7% without attention.
    found = counted(palm(118, 48, 18432))
    peak = 6144 * 275e12
    assert round(100 * 238.3e3 * found["palm"].flops_train_per_token / peak, 1) == 46.2
    assert round(100 * 238.3e3 * found["6nd"].flops_train_per_token / peak, 1) == 45.7
    attention = found["palm"].flops_train_per_token - found["6nd"].flops_train_per_token
    assert attention == 12 * 118 * 48 * 256 * 2048


# Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", arXiv:2203.15556, table A9: millions
# of parameters, d_model, ffw_size, kv_size, n_heads, n_layers.
CHINCHILLA = """
44 512 2048 64 8 8;        57 576 2304 64 9 9;         74 640 2560 64 10 10;       90 640 2560 64 10 13
106 640 2560 64 10 16;     117 768 3072 64 12 12;      140 768 3072 64 12 15;      163 768 3072 64 12 18
175 896 3584 64 14 14;     196 896 3584 64 14 16;      217 896 3584 64 14 18;      251 1024 4096 64 16 16
278 1024 4096 64 16 18;    306 1024 4096 64 16 20;     425 1280 5120 128 10 18;    489 1280 5120 128 10 21
509 1408 5632 128 11 18;   552 1280 5120 128 10 24;    587 1408 5632 128 11 21;    632 1536 6144 128 12 19
664 1408 5632 128 11 24;   724 1536 6144 128 12 22;    816 1536 6144 128 12 25;    893 1792 7168 128 14 20
1018 1792 7168 128 14 23;  1143 1792 7168 128 14 26;   1266 2048 8192 128 16 22;   1424 2176 8704 128 17 22
1429 2048 8192 128 16 25;  1593 2048 8192 128 16 28;   1609 2176 8704 128 17 25;   1731 2304 9216 128 18 24
1794 2176 8704 128 17 28;  2007 2304 9216 128 18 28;   2283 2304 9216 128 18 32;   2298 2560 10240 128 20 26
2639 2560 10240 128 20 30; 2980 2560 10240 128 20 34;  3530 2688 10752 128 22 36;  3802 2816 11264 128 22 36
4084 2944 11776 128 22 36; 4516 3072 12288 128 24 36;  6796 3584 14336 128 28 40;  9293 4096 16384 128 32 42
11452 4352 17408 128 32 47; 12295 4608 18432 128 36 44; 12569 4608 18432 128 32 47; 13735 4864 19456 128 32 47
14940 4992 19968 128 32 49; 16183 5120 20480 128 40 47
"""
TABLE_A9 = [tuple(map(int, row.split())) for row in CHINCHILLA.replace("\n", ";").split(";") if row.strip()]


def chinchilla(width: int, hidden: int, head_dim: int, heads: int, layers: int) -> GPTConfig:
    """A model of its tables, with the vocabulary of 32,000 of the paper, without its relative positions."""
    return GPTConfig(
        vocab_size=32_000, context_length=2048, emb_dim=width, n_heads=heads, n_layers=layers, qkv_bias=True,
        attention={"kind": "multi_head", "head_dim": head_dim},
        feed_forward={"kind": "plain", "hidden_dim": hidden}, position={"kind": "none"},
        norm={"kind": "rms_norm", "weight": False}, tie_embeddings=True,
    )  # fmt: skip


def chinchilla_params(config: GPTConfig) -> int:
    """With what relative positions add to each layer: a map of D to H·K, and two biases of H·K.

    Dai et al. 2019, "Transformer-XL", arXiv:1901.02860. We have no such positions.
    """
    width = config.n_heads * config.attention.head_dim
    return model_cost(config).params + config.n_layers * (config.emb_dim * width + 2 * width)


def test_chinchilla_sizes() -> None:
    # All fifty to the million that is printed. The paper does not say which of the smallest terms it counts:
    # biases of all maps and no weights of norms agree with each of its rows.
    computed = [round(chinchilla_params(chinchilla(*shape)) / 1e6) for _, *shape in TABLE_A9]
    assert computed == [millions for millions, *_ in TABLE_A9]
    assert len(computed) == 50
    assert sum(head_dim * heads != width for _, width, _, head_dim, heads, _ in TABLE_A9) == 6


# Table A4 of the same: FLOPs of appendix F over 6ND.
@pytest.mark.parametrize(
    ("shape", "ratio"),
    [
        ((640, 2560, 64, 10, 10), 1.03),
        ((1024, 4096, 64, 16, 20), 1.10),
        ((1280, 5120, 128, 10, 24), 1.08),
        ((1792, 7168, 128, 14, 26), 1.04),
        ((2048, 8192, 128, 16, 28), 1.03),
        ((3584, 14336, 128, 28, 40), 0.99),
    ],
)
def test_chinchilla_flops_over_6nd(shape: tuple[int, ...], ratio: float) -> None:
    # Appendix F counts embeddings and logits, but table A4 follows from its layers alone: with both of them
    # the first row would be 1.58.
    config = chinchilla(*shape)
    flops, n = counted(config)["chinchilla"].flops_train_per_token, chinchilla_params(config)
    tables = 3 * (2 * 2 * 32_000 * config.emb_dim)
    assert round((flops - tables) / (6 * n), 2) == ratio
    assert round(flops / (6 * n), 2) != ratio


def test_megatron_parameters_and_flops_with_recomputation() -> None:
    # Narayanan et al. 2021, "Efficient Large-Scale Language Model Training on GPU Clusters Using
    # Megatron-LM", arXiv:2104.04473: P = 12lh²(1 + 13/(12h) + (V + s)/(12lh)), and for a batch of B sequences
    # with activations recomputed F = 96Bslh²(1 + s/(6h) + V/(16lh)); GPT-3 with its vocabulary of 51,200.
    layers, width, vocabulary, time, batch = 96, 12288, 51_200, 2048, 1536
    config = GPTConfig.model_validate(gpt3(layers, width, 96, 128).model_dump() | {"vocab_size": vocabulary})
    cost = model_cost(config, batch_size=batch)
    final_norm = 2 * width  # not in P
    assert (
        cost.params - final_norm == 12 * layers * width**2 + 13 * layers * width + (vocabulary + time) * width
    )
    per_token = 96 * layers * width**2 + 16 * layers * width * time + 6 * vocabulary * width
    assert cost.flops_train_step_recomputed == batch * time * per_token


def test_llama_3_405b_training_compute() -> None:
    # Grattafiori et al. 2024, "The Llama 3 Herd of Models", arXiv:2407.21783, section 1: 3.8 x 10^25 FLOPs on
    # 15.6 trillion tokens.
    config = registry.load_variant("llama-3.1-405b").config
    assert digits(counted(config, 15_600 * 10**9)["6nd"].flops_train, 2) == "3.8E+25"


# Hugging Face 2024, "Llama 3.1 - 405B, 70B & 8B with multilinguality and long context",
# https://huggingface.co/blog/llama31: GB (2^30 bytes) of KV cache in FP16 for 1k (1024), 16k and 128k
# (16,000 and 128,000) tokens. The 405B is that of the first release, which had 16 key/value
# heads; since then it has 8.
@pytest.mark.parametrize(
    ("name", "kv_heads", "published"),
    [
        ("llama-3.1-8b", 8, ("0.125", "1.95", "15.62")),
        ("llama-3.1-70b", 8, ("0.313", "4.88", "39.06")),
        ("llama-3.1-405b", 16, ("0.984", "15.38", "123.05")),
    ],
)
def test_llama_3_key_value_caches(name: str, kv_heads: int, published: tuple[str, ...]) -> None:
    config = registry.load_variant(name, [f"attention.n_kv_heads={kv_heads}"]).config
    for tokens, printed in zip((1024, 16_000, 128_000), published, strict=True):
        half_a_digit = 0.500001 * 10.0 ** -len(printed.partition(".")[2])
        computed = model_cost(config, tokens).kv_cache_bytes / 2**30
        assert computed == pytest.approx(float(printed), abs=half_a_digit)


def test_key_value_heads_that_caches_were_made_small_by() -> None:
    # Touvron et al. 2023, "Llama 2", arXiv:2307.09288, table 1: of the 7B, 13B and 70B the last has
    # grouped-query attention, with 8 key/value heads (A.2.1). 2 x layers x key/value heads x 128 x 2 bytes.
    def per_token(name: str) -> int:
        return model_cost(registry.load_variant(name).config).kv_cache_bytes_per_token

    assert per_token("llama-2-7b") == 2 * 32 * 32 * 128 * 2
    assert per_token("llama-2-13b") == 2 * 40 * 40 * 128 * 2
    assert per_token("llama-2-70b") == 2 * 80 * 8 * 128 * 2
    assert per_token("llama-3.1-405b") == 2 * 126 * 8 * 128 * 2


def test_mistral_keeps_an_eighth_of_32k_tokens() -> None:
    # Jiang et al. 2023, "Mistral 7B", arXiv:2310.06825, section 2: a rolling buffer of 4096 needs 8 times
    # less memory at 32k tokens, and 2·32 layers·8 heads·128 numbers a token.
    config = registry.load_variant("mistral-7b-v0.1").config
    cost = model_cost(config, 32_768)
    assert cost.kv_cache_bytes_per_token == 131_072
    assert 8 * cost.kv_cache_bytes == 32_768 * cost.kv_cache_bytes_per_token
