"""Valid small configs over every field, every kind and every activation."""

from typing import Any

import hypothesis
import torch
from hypothesis import strategies as st

from gpt_zoo import GPTConfig
from gpt_zoo.config.kinds import KINDS
from gpt_zoo.layers.activations import ACTIVATIONS


class TorchRandom:
    """torch's generator, as hypothesis wants it: an example draws the same weights when it is run again."""

    def seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    def getstate(self) -> torch.Tensor:
        return torch.get_rng_state()

    def setstate(self, state: torch.Tensor) -> None:
        torch.set_rng_state(state)


TORCH_RANDOM = TorchRandom()  # hypothesis keeps a weak reference only
hypothesis.register_random(TORCH_RANDOM)

# As they are when tests are collected: what a test registers later is that test's own affair.
SHIPPED = {slot: dict(kinds) for slot, kinds in KINDS.items()}
SHIPPED_KINDS = [(slot, kind) for slot, kinds in SHIPPED.items() for kind in kinds]


def divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]


# The values of each field of each component, given the number of query heads.
FIELDS: dict[str, Any] = {
    "n_kv_heads": lambda heads: st.sampled_from(divisors(heads)),
    "out_bias": lambda heads: st.booleans(),
    "bias": lambda heads: st.booleans(),
    "hidden_dim": lambda heads: st.none() | st.integers(1, 23),
    "eps": lambda heads: st.floats(1e-8, 1e-2),
    "base": lambda heads: st.floats(2.0, 1e6),
}


def component(slot: str, heads: int = 1) -> st.SearchStrategy[dict[str, Any]]:
    """A declaration of any kind of `slot`, with some of its fields left to their defaults."""

    def of_kind(kind: str) -> st.SearchStrategy[dict[str, Any]]:
        required: dict[str, Any] = {"kind": st.just(kind)}
        optional = {}
        for name, field in SHIPPED[slot][kind].model_fields.items():
            if name != "kind":
                (required if field.is_required() else optional)[name] = FIELDS[name](heads)
        return st.fixed_dictionaries(required, optional=optional)

    return st.sampled_from(sorted(SHIPPED[slot])).flatmap(of_kind)


def activations() -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(ACTIVATIONS))


def drop_rates() -> st.SearchStrategy[float]:
    return st.just(0.0) | st.floats(0.05, 0.9)


@st.composite
def layer_overrides(draw: st.DrawFn, emb_dim: int, heads: int, even: bool) -> dict[str, Any]:
    """A partial config of one layer of a model of that width; heads of even size if `even`."""
    optional = {
        "drop_rate": drop_rates(),
        "qkv_bias": st.booleans(),
        "activation": activations(),
        "norm": component("norm"),
        "feed_forward": component("feed_forward"),
        "block": component("block"),
    }
    override: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=optional))
    if draw(st.booleans()):
        if draw(st.booleans()):
            fitting = [n for n in divisors(emb_dim) if not even or emb_dim // n % 2 == 0]
            heads = override["n_heads"] = draw(st.sampled_from(fitting))
        override["attention"] = draw(component("attention", heads))  # its key/value heads fit these heads
    return override


@st.composite
def gpt_config_fields(draw: st.DrawFn) -> dict[str, Any]:
    """A plain dict that GPTConfig accepts."""
    heads = draw(st.integers(1, 4))
    position = draw(component("position"))
    even = position["kind"] == "rotary"
    emb_dim = heads * draw(st.integers(1, 7)) * (2 if even else 1)
    return {
        "vocab_size": draw(st.integers(1, 37)),
        "context_length": draw(st.integers(1, 13)),
        "emb_dim": emb_dim,
        "n_heads": heads,
        "n_layers": draw(st.integers(1, 4)),
        "drop_rate": draw(drop_rates()),
        "qkv_bias": draw(st.booleans()),
        "activation": draw(activations()),
        "attention": draw(component("attention", heads)),
        "position": position,
        "norm": draw(component("norm")),
        "feed_forward": draw(component("feed_forward")),
        "block": draw(component("block")),
        "tie_embeddings": draw(st.booleans()),
        "layers": draw(st.lists(layer_overrides(emb_dim, heads, even), max_size=3)),
    }


def gpt_configs() -> st.SearchStrategy[GPTConfig]:
    return gpt_config_fields().map(GPTConfig.model_validate)


# A value for each field which a kind demands, that fits 4 heads.
NEEDED = {"n_kv_heads": 2}


def config_with(slot: str, kind: str, **fields: Any) -> GPTConfig:
    """A small GPT-2 with one component replaced."""
    demanded = {name: NEEDED[name] for name in SHIPPED[slot][kind].model_fields if name in NEEDED}
    small = {"vocab_size": 61, "context_length": 13, "emb_dim": 24, "n_heads": 4, "n_layers": 2}
    return GPTConfig.model_validate(small | {slot: {"kind": kind} | demanded} | fields)
