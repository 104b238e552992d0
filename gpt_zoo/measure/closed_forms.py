"""The closed form of each module's FLOPs, as the configs declare them."""

from collections.abc import Mapping

from torch import nn

from gpt_zoo.config.component import Macs
from gpt_zoo.config.feed_forward.mixture_of_experts import MixtureOfExpertsConfig
from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.cost.model import FLOPS_PER_MAC, model_macs
from gpt_zoo.measure.condensed import Condensed


def flops_by_module(condensed: Condensed, time: int, tokens: Mapping[str, int]) -> dict[str, int]:
    """FLOPs of the forward pass of one sequence of `time` tokens, attention in full, by name of the module.

    Components say what they take; what they are made of has a closed form where it is a linear map: in x out
    for each token. The products of queries, keys and values are the attention's own.

    Args:
        condensed: The whole model's number is in its name, the empty one.
        tokens: How many each module reads, by its name.
    """
    model = condensed.model
    config = model.config
    macs = {
        "": model_macs(config, time),
        "token_table": Macs(config.embedding.macs(config, time)),
        "head": Macs(config.head.macs(config, time)),
    }
    for index, layers in enumerate(condensed.stands_for):
        layer, block = config.layer(layers[0]), f"blocks.{index}"
        macs[block] = layer.block.macs(layer, time)
        macs[f"{block}.attention"] = layer.attention.macs(layer, time)
        macs[f"{block}.feed_forward"] = layer.feed_forward.macs(layer, time)
        macs |= _experts(layer, f"{block}.feed_forward", tokens)
    for name, module in model.named_modules():
        if type(module) is nn.Linear and name not in macs:
            macs[name] = Macs(tokens.get(name, 0) * module.in_features * module.out_features)
    return {name: FLOPS_PER_MAC * (part.linear + part.attention) for name, part in macs.items()}


def _experts(layer: GPTConfig, name: str, tokens: Mapping[str, int]) -> dict[str, Macs]:
    """Of each expert of a mixture, for the tokens that it reads."""
    mixture = layer.feed_forward
    if not isinstance(mixture, MixtureOfExpertsConfig):
        return {}
    parts = {f"{name}.experts.{index}": mixture.expert for index in range(mixture.n_experts)}
    if mixture.shared is not None:
        parts[f"{name}.shared"] = mixture.shared
    return {name: part.macs(layer, tokens.get(name, 0)) for name, part in parts.items()}
