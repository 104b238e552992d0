"""FLOPs of a built model, counted by fvcore on the meta device: an independent check of the closed form."""

import re
import warnings
from collections import Counter
from typing import Any

import torch
from fvcore.nn import FlopCountAnalysis

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.model import FLOPS_PER_MAC
from gpt_zoo.model import GPTModel
from gpt_zoo.weights import build_empty

# fvcore has handles for these; what else it counts, such as 5 an element of a layer norm, is no matmul.
MATRIX_OPERATORS = {
    "linear",
    "matmul",
    "addmm",
    "bmm",
    "mm",
    "einsum",
    "baddbmm",
    "scaled_dot_product_attention",
}
LOOKS_LIKE_A_MATMUL = re.compile(
    r"mm|mv|matmul|attention|conv|einsum|bilinear|dot|outer|ger$|addr|kron|inner|cdist"
)


def _fused_attention_macs(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    """H·T·T·d for the scores and as many for the values, in full: fvcore itself drops this operator."""
    batch, heads, time, head_dim = inputs[0].type().sizes()
    keys, value_dim = inputs[1].type().sizes()[-2], inputs[2].type().sizes()[-1]
    return Counter({"scaled_dot_product_attention": batch * heads * time * keys * (head_dim + value_dim)})


def measure_flops_forward(config: GPTConfig, context_length: int | None = None) -> int:
    """FLOPs of the forward pass of one sequence, as fvcore counts them: 2 x MACs, attention in full.

    The model is built and traced without allocating its weights.

    Args:
        context_length: Tokens of the sequence; the config's own unless given.

    Raises:
        ValueError: the model has an operator that looks like a matrix multiplication and is not counted.
    """
    return measure_module_flops(build_empty(config).eval(), context_length)[""]


def measure_module_flops(model: GPTModel, context_length: int | None = None) -> dict[str, int]:
    """The same for each module of a model on the meta device, by name; the whole model has none.

    Raises:
        ValueError: as for `measure_flops_forward`.
    """
    time = model.config.context_length if context_length is None else context_length
    analysis = FlopCountAnalysis(model, torch.zeros(1, time, dtype=torch.long, device="meta"))
    analysis.set_op_handle("aten::scaled_dot_product_attention", _fused_attention_macs)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    with warnings.catch_warnings():
        # Shapes become constants of the trace, of which torch warns; it is made for this one shape.
        warnings.simplefilter("ignore")
        counted = analysis.by_module_and_operator()
        uncounted = [name for name in analysis.unsupported_ops() if LOOKS_LIKE_A_MATMUL.search(name)]
    if uncounted:
        raise ValueError(
            f"fvcore counts nothing for {', '.join(uncounted)}; give each a handle in {__name__}"
        )
    return {
        name: FLOPS_PER_MAC * sum(int(macs) for kind, macs in counts.items() if kind in MATRIX_OPERATORS)
        for name, counts in counted.items()
    }
