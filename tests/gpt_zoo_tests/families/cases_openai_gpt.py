from hub_models import CONTEXT, VOCAB, HubCase

GPT = {"vocab_size": VOCAB, "n_positions": CONTEXT, "n_embd": 24, "n_layer": 3, "n_head": 4}

CASES = [
    HubCase(
        "openai-gpt",
        "OpenAIGPTConfig",
        GPT,
        breaks={"afn": "gelu_new", "n_layer": None},
        beyond={
            "activation": "gelu",
            "final_norm": True,
            "block.norm_placement": "pre",
            "feed_forward.hidden_dim": 40,
        },
    ),
    HubCase(
        "openai-gpt",
        "OpenAIGPTConfig",
        {**GPT, "afn": "silu", "layer_norm_epsilon": 1e-3, "tie_word_embeddings": False},
        "untied",
    ),
]
