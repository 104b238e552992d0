"""FLOPs of a built model on the meta device, counted by fvcore and by torch: independent checks of the closed
forms."""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from fvcore.nn import FlopCountAnalysis
from fvcore.nn.jit_handles import (
    addmm_flop_jit,
    bmm_flop_jit,
    einsum_flop_jit,
    linear_flop_jit,
    matmul_flop_jit,
)
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.model import FLOPS_PER_MAC
from gpt_zoo.measure.condensed import build_condensed
from gpt_zoo.measure.tracker import GraphTracker
from gpt_zoo.model import GPTModel

LOOKS_LIKE_A_MATMUL = re.compile(
    r"mm|mv|matmul|attention|conv|einsum|bilinear|dot|outer|ger$|addr|kron|inner|cdist"
)


def _fused_attention_macs(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    """H·T·T·d for the scores and as many for the values, in full: fvcore itself drops this operator."""
    batch, heads, time, head_dim = inputs[0].type().sizes()
    keys, value_dim = inputs[1].type().sizes()[-2], inputs[2].type().sizes()[-1]
    return Counter({"scaled_dot_product_attention": batch * heads * time * keys * (head_dim + value_dim)})


def _added_product_macs(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    """Those of the product; fvcore has no handle for one that is added to something."""
    return Counter({"baddbmm": bmm_flop_jit(inputs[1:3], outputs)})


# Without fvcore's others, of which none is a product: 5 an element of a layer norm, and so on.
HANDLES: dict[str, Callable[..., Any]] = {
    "aten::addmm": addmm_flop_jit,
    "aten::baddbmm": _added_product_macs,
    "aten::bmm": bmm_flop_jit,
    "aten::einsum": einsum_flop_jit,
    "aten::linear": linear_flop_jit,
    "aten::matmul": matmul_flop_jit,
    "aten::mm": matmul_flop_jit,
    "aten::scaled_dot_product_attention": _fused_attention_macs,
}


@dataclass(frozen=True)
class FvcoreCount:
    """What fvcore finds in the forward pass of one sequence.

    Args:
        flops: By name of the module, all that is in it included; the model itself has no name.
        left_out: How often each operator occurs that is no matrix multiplication, by name of the module.
    """

    flops: Mapping[str, int]
    left_out: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class TorchCount:
    """What torch's counter finds in the passes of one sequence, by name of the module as for fvcore."""

    forward: Mapping[str, int]
    backward: Mapping[str, int]


def measure_flops_forward(config: GPTConfig, context_length: int | None = None) -> int:
    """FLOPs of the forward pass of one sequence, as fvcore counts them: 2 x MACs, attention in full.

    The model is built and traced without allocating its weights, layers that are alike only twice.

    Args:
        context_length: Tokens of the sequence; the config's own unless given.

    Raises:
        ValueError: the model has an operator that looks like a matrix multiplication and is not counted.
    """
    condensed = build_condensed(config)
    return condensed.whole(count_with_fvcore(condensed.model, context_length).flops)[""]


def count_with_fvcore(model: GPTModel, context_length: int | None = None) -> FvcoreCount:
    """The same for each module of a model on the meta device, and what is not counted.

    Raises:
        ValueError: as for `measure_flops_forward`.
    """
    analysis = FlopCountAnalysis(model, blank_ids(model, context_length))
    analysis.clear_op_handles().set_op_handle(**HANDLES)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    with warnings.catch_warnings():
        # Shapes become constants of the trace, of which torch warns; it is made for this one shape.
        warnings.simplefilter("ignore")
        counted = analysis.by_module()
        left_out = {name: dict(analysis.unsupported_ops(name)) for name in counted}
    if uncounted := [name for name in left_out[""] if LOOKS_LIKE_A_MATMUL.search(name)]:
        raise ValueError(
            f"fvcore counts nothing for {', '.join(uncounted)}; give each a handle in {__name__}"
        )
    flops = {name: FLOPS_PER_MAC * int(macs) for name, macs in counted.items()}
    return FvcoreCount(flops, left_out)


def count_with_torch(model: GPTModel, context_length: int | None = None) -> TorchCount:
    """FLOPs of the forward and the backward pass of one sequence for each module of a model on the meta
    device, as torch counts them.

    Attention is written out: a fused kernel multiplies the scores once more in the backward pass, instead of
    keeping them.
    """
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = GraphTracker(model)  # type: ignore[assignment]
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        with counter:
            loss = model(blank_ids(model, context_length)).sum()
        forward = _by_module(counter)
        with counter:
            torch.autograd.grad(loss, trained, allow_unused=True)
    return TorchCount(forward, _by_module(counter))


def blank_ids(model: GPTModel, context_length: int | None = None) -> Tensor:
    """One sequence without values, as long as the context unless told otherwise."""
    time = model.config.context_length if context_length is None else context_length
    return torch.zeros(1, time, dtype=torch.long, device="meta")


def _by_module(counter: FlopCounterMode) -> dict[str, int]:
    return {name: sum(kinds.values()) for name, kinds in counter.get_flop_counts().items()}
