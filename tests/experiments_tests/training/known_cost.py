"""The cost of a made-up model, in numbers to reckon with."""

from gpt_zoo.cost.model import Cost

COST = Cost(
    context_length=10,
    batch_size=1,
    params=700,
    params_non_embedding=300,
    params_active=700,
    flops_forward=4000,
    flops_forward_causal=3000,
    flops_forward_windowed=3000,
    flops_train_per_token=1200,  # 3 x 4000 / 10
    flops_train_step=12000,
    flops_train_step_recomputed=15000,
    kv_cache_bytes_per_token=8,
    kv_cache_bytes=80,
)
