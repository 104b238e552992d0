"""Valid small configs over every field, every kind and every activation."""

from collections.abc import Collection
from typing import Any

import hypothesis
import torch
from hypothesis import strategies as st

from gpt_zoo import GPTConfig
from gpt_zoo.config.component import Component
from gpt_zoo.config.kinds import SHIPPED
from gpt_zoo.layers.activations import ACTIVATIONS
from gpt_zoo.layers.initializations import INITIALIZATIONS


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

KINDS = {slot: {config.model_fields["kind"].default: config for config in SHIPPED[slot]} for slot in SHIPPED}
MODEL_SLOTS = ("attention", "position", "norm", "feed_forward", "block", "embedding", "head")
SHIPPED_KINDS = [(slot, kind) for slot in MODEL_SLOTS for kind in KINDS[slot]]


def divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]


def sizes(largest: int = 7) -> st.SearchStrategy[int]:
    return st.integers(1, largest)


def factors() -> st.SearchStrategy[float]:
    return st.floats(0.25, 4.0)


CONTEXT = 17
"""The longest that is drawn: longer than a chunk of linear attention."""

# The values of each field of each component, given the number of query heads.
FIELDS: dict[str, Any] = {
    # attention
    "n_kv_heads": lambda heads: st.sampled_from(divisors(heads)),
    "out_bias": lambda heads: st.booleans(),
    "query_bias": lambda heads: st.none() | st.booleans(),
    "key_bias": lambda heads: st.none() | st.booleans(),
    "value_bias": lambda heads: st.none() | st.booleans(),
    "head_dim": lambda heads: st.sampled_from([2, 4, 6]),
    "window": lambda heads: st.none() | st.integers(1, CONTEXT),
    "scale": lambda heads: st.none() | factors(),
    "softcap": lambda heads: st.none() | st.floats(0.5, 50.0),
    "sinks": lambda heads: st.booleans(),
    "qk_norm": lambda heads: st.sampled_from([None, "head", "width"]),
    "clip": lambda heads: st.none() | st.floats(0.5, 8.0),
    "value_residual": lambda heads: st.booleans(),
    "kv_rank": lambda heads: sizes(),
    "rope_head_dim": lambda heads: st.sampled_from([0, 2, 4]),
    "value_head_dim": lambda heads: sizes(),
    "query_rank": lambda heads: st.none() | sizes(),
    "key_head_dim": lambda heads: sizes(),
    "gate_rank": lambda heads: sizes(),
    # position
    "offset": lambda heads: st.integers(0, 3),
    "base": lambda heads: st.floats(2.0, 1e6),
    "fraction": lambda heads: st.just(1.0) | st.floats(0.2, 1.0),
    "interleaved": lambda heads: st.booleans(),
    "scaling": lambda heads: st.none() | component("rotary_scaling"),
    "max_bias": lambda heads: st.floats(1.0, 8.0),
    "scaled": lambda heads: st.booleans(),
    "rounded": lambda heads: st.booleans(),
    "factor": lambda heads: st.floats(1.0, 40.0),
    "low_freq_factor": lambda heads: st.floats(0.5, 1.5),
    "high_freq_factor": lambda heads: st.floats(2.0, 8.0),
    "original_context": lambda heads: st.integers(2, 64),
    "beta_fast": lambda heads: st.floats(16.0, 64.0),
    "beta_slow": lambda heads: st.floats(0.5, 2.0),
    "attention_factor": lambda heads: st.none() | factors(),
    "truncate": lambda heads: st.booleans(),
    # norm
    "eps": lambda heads: st.floats(1e-8, 1e-2),
    "weight": lambda heads: st.booleans(),
    "unit_offset": lambda heads: st.booleans(),
    # feed_forward
    "bias": lambda heads: st.booleans(),
    "hidden_dim": lambda heads: st.none() | st.integers(1, 23),
    "hidden_multiple": lambda heads: st.none() | st.floats(0.1, 5.0),
    "limit": lambda heads: st.none() | st.floats(0.5, 8.0),
    "linear_offset": lambda heads: st.floats(-1.0, 1.0),
    "n_experts": lambda heads: st.integers(1, 5),
    "n_experts_per_token": lambda heads: st.integers(1, 3),
    "expert": lambda heads: component("expert"),
    "shared": lambda heads: st.none() | component("expert"),
    "shared_gate": lambda heads: st.booleans(),
    "router_bias": lambda heads: st.booleans(),
    "normalize_weights": lambda heads: st.booleans(),
    "weight_scale": lambda heads: factors(),
    "balance_loss": lambda heads: st.floats(0.0, 1.0),
    # block
    "norm_placement": lambda heads: st.sampled_from(["pre", "post", "reordered", "sandwich"]),
    "shared_norm": lambda heads: st.booleans(),
    "residual_multiplier": lambda heads: factors(),
    "embedding_residual": lambda heads: st.booleans(),
    # embedding and head
    "dim": lambda heads: st.none() | sizes(),
    "multiplier": lambda heads: factors(),
    "norm": lambda heads: st.booleans(),
    "pad_to": lambda heads: st.sampled_from([1, 2, 8]),
}


def component(slot: str, heads: int = 1, kinds: Collection[str] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """A declaration of any kind of `slot`, or of `kinds`, with some of its fields left to their defaults."""

    def of_kind(kind: str) -> st.SearchStrategy[dict[str, Any]]:
        required: dict[str, Any] = {"kind": st.just(kind)}
        optional = {}
        for name, field in KINDS[slot][kind].model_fields.items():
            if name != "kind":
                (required if field.is_required() else optional)[name] = FIELDS[name](heads)
        drawn = st.fixed_dictionaries(required, optional=optional)
        return drawn.filter(lambda declared: not own_problems(KINDS[slot][kind], declared))

    return st.sampled_from(sorted(kinds or KINDS[slot])).flatmap(of_kind)


def own_problems(config: type[Component], declared: dict[str, Any]) -> bool:
    """Whether a component breaks a rule on its own, in whatever model it stands."""
    try:
        config.model_validate(declared)
    except ValueError:
        return True
    given = declared.get
    return bool(
        (given("bias", True) and not given("weight", True))
        or (given("unit_offset") and given("weight") is False)
        or (given("hidden_dim") is not None and given("hidden_multiple") is not None)
        or given("n_experts_per_token", 1) > given("n_experts", 1)
        or (given("shared_gate") and given("shared") is None)
    )


def activations() -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(ACTIVATIONS))


def drop_rates() -> st.SearchStrategy[float]:
    return st.just(0.0) | st.floats(0.05, 0.9)


def whatever_validates(
    fields: st.SearchStrategy[dict[str, Any]],
) -> st.SearchStrategy[GPTConfig]:
    """The configs of those declarations that no rule between fields refuses."""

    def validated(declared: dict[str, Any]) -> GPTConfig | None:
        try:
            return GPTConfig.model_validate(declared)
        except ValueError:
            return None

    return fields.map(validated).filter(lambda config: config is not None)


@st.composite
def layer_overrides(draw: st.DrawFn, emb_dim: int, heads: int, position: dict[str, Any]) -> dict[str, Any]:
    """A partial config of one layer of a model of that width."""
    optional = {
        "drop_rate": drop_rates(),
        "qkv_bias": st.booleans(),
        "activation": activations(),
        "norm": component("norm"),
        "feed_forward": component("feed_forward"),
        "block": component("block"),
        "position": component("position", kinds=["rotary", "alibi", "none"]),
    }
    override: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=optional))
    if draw(st.booleans()):
        if draw(st.booleans()):
            heads = override["n_heads"] = draw(st.sampled_from(divisors(emb_dim)))
        override["attention"] = draw(component("attention", heads))  # its key/value heads fit these heads
        if override["attention"]["kind"] == "gated_linear":
            override["position"] = {"kind": "none"}
    return override


@st.composite
def gpt_config_fields(draw: st.DrawFn) -> dict[str, Any]:
    """A plain dict which GPTConfig mostly accepts."""
    heads = draw(st.integers(1, 4))
    position = draw(component("position"))
    attention = draw(component("attention", heads))
    if attention["kind"] == "gated_linear":
        position = draw(component("position", kinds=["learned", "sinusoidal", "none"]))
    even = position["kind"] == "rotary"
    emb_dim = heads * draw(st.integers(1, 5)) * (2 if even else 1)
    embedding, head = draw(component("embedding")), draw(component("head"))
    tied = draw(st.booleans())
    if tied:
        head["dim"] = embedding.get("dim")
    n_layers = draw(st.integers(1, 4))
    overrides = layer_overrides(emb_dim, heads, position)
    singles = st.builds(lambda at, override: {"at": at} | override, st.integers(-1, n_layers - 1), overrides)
    return {
        "vocab_size": draw(st.integers(1, 37)),
        "context_length": draw(st.integers(1, CONTEXT)),
        "emb_dim": emb_dim,
        "n_heads": heads,
        "n_layers": n_layers,
        "drop_rate": draw(drop_rates()),
        "qkv_bias": draw(st.booleans()),
        "activation": draw(activations()),
        "attention": attention,
        "position": position,
        "norm": draw(component("norm")),
        "feed_forward": draw(component("feed_forward")),
        "block": draw(component("block")),
        "embedding": embedding,
        "head": head,
        "tie_embeddings": tied,
        "final_norm": draw(st.booleans()),
        "initialization": draw(st.sampled_from(sorted(INITIALIZATIONS))),
        "layers": draw(st.lists(overrides, max_size=min(2, n_layers))),
        "single_layers": draw(st.lists(singles, max_size=1)),
    }


def gpt_configs() -> st.SearchStrategy[GPTConfig]:
    return whatever_validates(gpt_config_fields())


# A value for each field which a kind demands, that fits 4 heads.
NEEDED = {
    "n_kv_heads": 2,
    "kv_rank": 7,
    "head_dim": 5,
    "value_head_dim": 3,
    "n_experts": 5,
    "n_experts_per_token": 2,
    "expert": {"kind": "gated", "hidden_dim": 11},
}


def config_with(slot: str, kind: str, **fields: Any) -> GPTConfig:
    """A small GPT-2 with one component replaced."""
    demanded = {
        name: NEEDED[name] for name, field in KINDS[slot][kind].model_fields.items() if field.is_required()
    }
    small = {"vocab_size": 61, "context_length": 19, "emb_dim": 24, "n_heads": 4, "n_layers": 2}
    return GPTConfig.model_validate(small | {slot: {"kind": kind} | demanded} | fields)
