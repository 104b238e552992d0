"""CodeGen: Nijkamp et al. 2022, arXiv:2203.13474."""

from typing import Any

from gpt_zoo.families.family import QKV, Computed, Family, Fused, Hub, HubError, Ours
from gpt_zoo.families.gptj import ALL_BUT_QKV, ALWAYS, CONFIG, IGNORED

SHARES = 4
"""So many cores had the heads in training; queries, values and keys of each lie together."""
QVK = tuple(f"{name}.weight" for name in (QKV[0], QKV[2], QKV[1]))


def _check_heads(hub: Hub, ours: Ours) -> dict[str, Any]:
    if ours["n_heads"] % SHARES:
        raise HubError(f"`n_head` must be a multiple of {SHARES}, got {ours['n_heads']}")
    return {}


FAMILY = Family(
    model_type="codegen",
    architecture="CodeGenForCausalLM",
    prefix="transformer.",
    always=ALWAYS,
    config=[*CONFIG, Computed({}, _check_heads)],
    ignored=IGNORED,
    tensors=[*ALL_BUT_QKV, Fused("transformer.h.{i}.attn.qkv_proj.weight", QVK, shares=SHARES)],
    ignored_tensors=["transformer.h.*.attn.causal_mask", "transformer.h.*.attn.masked_bias"],
)
