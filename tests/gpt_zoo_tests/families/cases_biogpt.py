from hub_models import SIZES, HubCase

CASES = [
    HubCase(
        "biogpt",
        "BioGptConfig",
        SIZES,
        breaks={"add_cross_attention": True, "hidden_act": "laplace"},
        beyond={"norm.eps": 1e-3, "position.offset": 0, "embedding.multiplier": 2.0},
    ),
    HubCase(
        "biogpt",
        "BioGptConfig",
        {**SIZES, "scale_embedding": False, "hidden_act": "relu", "tie_word_embeddings": False},
        "unscaled",
    ),
]
