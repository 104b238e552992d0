"""Variants adjusted to equal cost: values worked out by hand, and the best of all by trying every one."""

import pytest
from pydantic import ValidationError

from gpt_zoo.config import GPTConfig
from gpt_zoo.cost import model_cost
from gpt_zoo.cost.memory import TrainingStep, training_memory
from registry import load_variant, match_variant
from registry.matching.advice import explain_miss
from registry.matching.axis import Axis
from registry.matching.declare import declare_match
from registry.matching.fields import with_values
from registry.matching.result import Goal
from registry.matching.search import Matching
from registry.variant import resolve_variant

TINY = {"vocab_size": 300, "context_length": 32, "emb_dim": 48, "n_heads": 4, "n_layers": 3}
GATED = ["feed_forward={kind: gated, bias: true}", "activation=silu"]
HIDDEN = "feed_forward.hidden_dim"


def tiny(**changes):
    return resolve_variant({"name": "tiny", **TINY, **changes})


def test_swiglu_and_gelu_at_equal_parameters():
    gpt2 = load_variant("gpt2")
    match = match_variant(load_variant("gpt2", GATED), gpt2, "params", [HIDDEN])
    # GELU: 2·768·3072 + 3072 + 768 a layer. SwiGLU: 3·768·F + 2·F + 768, nearest at F = 2048 = 8/3·768.
    assert match.after == {HIDDEN: 2048}
    assert match.target == 124_439_808
    assert match.cost - match.target == 12 * (3 * 768 * 2048 + 2 * 2048 - (2 * 768 * 3072 + 3072))
    assert match.within
    assert (match.below.value, match.above.value) == (2047, 2048)


def test_without_biases_it_is_two_more_and_a_multiple_of_64_is_2048_again():
    gpt2, swiglu = load_variant("gpt2"), load_variant("gpt2", ["feed_forward.kind=gated"])
    # 3·768·F against 4,722,432: 1,536 too few at 2049, 768 too many at 2050.
    free = match_variant(swiglu, gpt2, "params", [HIDDEN])
    assert (free.after, free.cost - free.target) == ({HIDDEN: 2050}, 12 * 768)
    held = match_variant(swiglu, gpt2, "params", [HIDDEN], multiple_of=64)
    assert held.after == {HIDDEN: 2048}
    assert held.above.value == 2048 + 64


def test_llama_with_a_plain_network_is_as_wide_as_one_and_a_half_gated_ones():
    llama = load_variant("llama-3.2-1b")
    plain = load_variant("llama-3.2-1b", ["feed_forward={kind: plain, bias: false}"])
    match = match_variant(plain, llama, "flops", [HIDDEN])
    assert (match.after, match.difference()) == ({HIDDEN: 12288}, 0.0)  # 3·D·8192 = 2·D·12288


def test_what_costs_the_same_already_stays_as_declared():
    tiny_one = tiny()
    match = match_variant(tiny_one, tiny_one, "params", [HIDDEN, "n_layers"])
    assert (match.variant, match.values) == (tiny_one, {})


CASES = [
    (tiny(), tiny(n_layers=7), "params", "emb_dim"),
    (tiny(position={"kind": "rotary"}), tiny(n_layers=7), "flops", "emb_dim"),
    (tiny(feed_forward={"kind": "gated"}), tiny(), "params", HIDDEN),
    (tiny(feed_forward={"kind": "gated", "hidden_multiple": 2.5}), tiny(), "flops_causal", HIDDEN),
    (tiny(), tiny(emb_dim=96), "train_flops", "n_layers"),
    (tiny(layers=[{"attention": {"window": 4}}, {}], n_layers=4), tiny(), "kv_bytes", "n_layers"),
    (tiny(attention={"window": 3}), tiny(n_layers=2), "kv_bytes", "attention.window"),
    (tiny(attention={"kind": "grouped_query", "n_kv_heads": 4}), tiny(n_layers=1), "kv_bytes", "n_heads"),
    (
        tiny(n_heads=12, attention={"kind": "grouped_query", "n_kv_heads": 4}),
        tiny(n_layers=2),
        "kv_bytes_per_token",
        "attention.n_kv_heads",
    ),
    (tiny(attention={"head_dim": 7}), tiny(emb_dim=80), "non_embedding", "n_heads"),
    (tiny(), tiny(emb_dim=64), "memory", "emb_dim"),
    (
        tiny(
            feed_forward={
                "kind": "mixture_of_experts",
                "n_experts": 4,
                "n_experts_per_token": 2,
                "expert": {"kind": "gated"},
            }
        ),
        tiny(),
        "active",
        "feed_forward.expert.hidden_dim",
    ),
]


def cost_of(config, on):
    if on == "memory":
        return training_memory(config, TrainingStep(context_length=32)).peak_bytes
    cost = model_cost(config, 32)
    return {
        "params": cost.params,
        "active": cost.params_active,
        "non_embedding": cost.params_non_embedding,
        "flops": cost.flops_forward,
        "flops_causal": cost.flops_forward_causal,
        "train_flops": cost.flops_train_step,
        "kv_bytes": cost.kv_cache_bytes,
        "kv_bytes_per_token": cost.kv_cache_bytes_per_token,
    }[on]


def every_cost(variant, field, on, multiple_of=1):
    """The cost of each valid value, by trying all up to 300."""
    costs = {}
    for value in range(multiple_of, 301, multiple_of):
        data = variant.config.model_dump(mode="json")
        *parents, name = field.split(".")
        inner = data
        for step in parents:
            inner = inner[step]
        inner[name] = value
        if name == "hidden_dim":
            inner["hidden_multiple"] = None
        try:
            costs[value] = cost_of(GPTConfig.model_validate(data), on)
        except ValidationError:
            continue
    return costs


@pytest.mark.parametrize(("variant", "target", "on", "field"), CASES)
@pytest.mark.parametrize("multiple_of", [1, 8])
def test_no_other_valid_value_is_nearer(variant, target, on, field, multiple_of):
    step = 1 if field.rpartition(".")[2].startswith("n_") else multiple_of
    costs = every_cost(variant, field, on, step)
    wanted = cost_of(target.config, on)
    match = match_variant(variant, target, on, [field], multiple_of=multiple_of)
    assert match.target == wanted
    assert match.cost == cost_of(match.variant.config, on) == costs[match.after[field]]
    assert abs(match.cost - wanted) == min(abs(cost - wanted) for cost in costs.values())
    assert match.after[field] % step == 0


def test_of_two_fields_the_coarse_one_comes_near_and_the_fine_one_makes_up_for_the_rest():
    variant, target = tiny(), tiny(n_layers=11, feed_forward={"hidden_dim": 201})
    match = match_variant(variant, target, "params", [HIDDEN, "n_layers"])
    assert match.last == HIDDEN
    # In layers, 11·201 wide in all: whatever the depth, the width is off by less than a half of it.
    assert abs(match.cost - match.target) <= match.after["n_layers"] * (2 * 48 + 1) / 2
    alone = match_variant(variant, target, "params", ["n_layers"])
    assert abs(match.after["n_layers"] - alone.after["n_layers"]) <= 1
    assert abs(match.difference()) < abs(alone.difference())


def test_a_coarse_field_gives_way_where_the_fine_one_cannot_make_up_for_it():
    llama, gpt2 = load_variant("llama-3.2-1b"), load_variant("gpt2")
    # One layer has 323 million parameters of the tables alone, so that depth alone leads nowhere near.
    match = match_variant(llama, gpt2, "params", ["n_layers", "emb_dim"])
    assert match.within
    assert model_cost(match.variant.config).params == match.cost


def test_widths_obey_the_rules_of_heads():
    match = match_variant(
        tiny(n_heads=6, emb_dim=96, position={"kind": "rotary"}), tiny(), "params", ["emb_dim"]
    )
    assert match.after["emb_dim"] % 12 == 0  # six heads of an even size
    ends = [match.below.value, match.above.value]
    assert ends[1] - ends[0] == 12


def test_a_value_that_layers_override_is_told_and_can_be_set_free():
    layered = tiny(layers=[{"feed_forward": {"hidden_dim": 100}}, {}], n_layers=4)
    match = match_variant(layered, tiny(n_layers=5), "params", [HIDDEN])
    assert match.shadowed == {HIDDEN: [0, 2]}
    assert all(match.variant.config.layer(layer).feed_forward.hidden_dim == 100 for layer in (0, 2))
    inner = match_variant(layered, tiny(n_layers=5), "params", [f"layers[0].{HIDDEN}"])
    assert inner.before == {f"layers[0].{HIDDEN}": 100}
    assert inner.variant.config.layer(1).feed_forward == layered.config.layer(1).feed_forward
    # Two wider layers make up for what they lacked of 192, and for a whole layer: 12·48² weights, 10·48
    # biases and norms. A number more in one of them is 2·48 + 1 parameters.
    more = (12 * 48**2 + 10 * 48) / (2 * (2 * 48 + 1))
    assert inner.after == {f"layers[0].{HIDDEN}": 192 + round(more)}


def missed(variant, target, goal):
    matching = Matching(variant, target, goal)
    match = matching.best()
    assert not match.within
    return explain_miss(matching, match)


def test_a_miss_tells_the_nearest_values_and_what_would_do():
    # 192 and 256 are multiples of 64: 32 heads of an even size.
    text = missed(load_variant("llama-3.2-1b"), load_variant("gpt2"), Goal("params", ("emb_dim",)))
    assert "emb_dim 192 with 101,603,520 (-18.4%) and emb_dim 256 with 136,126,720 (+9.39%)" in text
    assert "`feed_forward.hidden_dim` free as well (emb_dim 192, feed_forward.hidden_dim 10670" in text
    assert text.endswith("a tolerance of 0.094")
    wider = load_variant("llama-3.2-1b", [f"{HIDDEN}=10670"])
    assert match_variant(wider, load_variant("gpt2"), "params", ["emb_dim"]).after == {"emb_dim": 192}


def test_a_miss_tells_a_smaller_multiple_that_would_do():
    gated, plain = tiny(feed_forward={"kind": "gated"}), tiny(feed_forward={"hidden_dim": 240, "bias": False})
    # 3·48·160 = 2·48·240, and 160 is a multiple of 32.
    text = missed(gated, plain, Goal("params", (HIDDEN,), 0.01, 64))
    assert "multiples of 32 (0%)" in text


def test_a_field_that_changes_nothing_says_so():
    text = missed(tiny(), tiny(n_layers=5), Goal("kv_bytes", (HIDDEN,)))
    assert "these do not change it from 18,432 (-40%)" in text  # 2·48·3 numbers of 2 bytes, 32 times
    assert "`n_layers` free as well (feed_forward.hidden_dim 192, n_layers 5: 0%)" in text


def test_no_value_may_be_small_enough():
    text = missed(tiny(), tiny(emb_dim=4), Goal("params", (HIDDEN,)))
    assert "and no value gives less" in text


def test_costs_are_counted_at_the_smaller_context():
    short, long = tiny(context_length=16), tiny(n_layers=4)
    assert match_variant(short, long, "flops", ["n_layers"]).context_length == 16
    assert match_variant(long, short, "flops", ["n_layers"]).context_length == 16
    assert match_variant(long, long, "flops", ["n_layers"], context_length=8).context_length == 8
    given = match_variant(long, model_cost(short.config), "flops", ["n_layers"])
    assert (given.context_length, given.after) == (16, {"n_layers": 3})


@pytest.mark.parametrize(
    ("goal", "message"),
    [
        ({"on": "parms"}, "did you mean `params`?"),
        ({"by": ["hidden_dim"]}, "did you mean `feed_forward.hidden_dim`?"),
        ({"by": ["drop_rate"]}, "`drop_rate` is no whole number"),
        ({"by": ["feed_forward.hidden_multiple"]}, "did you mean `feed_forward.hidden_dim`?"),
        ({"by": ["qkv_bias"]}, "`qkv_bias` is no whole number"),
        ({"by": ["layers[0].n_heads"]}, "`layers` is a list of 0"),
        ({"by": []}, "needs a field"),
        ({"by": ["n_layers", "n_layers"]}, "once"),
        ({"tolerance": -0.1}, "from 0 to 1, got -0.1"),
        ({"multiple_of": 0}, "got 0; try 1, 8 or 64"),
        ({"context_length": 64, "on": "flops"}, "declare context_length 64"),
    ],
)
def test_mistakes_are_told(goal, message):
    with pytest.raises(ValueError, match=message.replace("[", r"\[").replace("?", r"\?")):
        match_variant(tiny(), tiny(), **{"on": "params", "by": ["n_layers"], **goal})


def test_a_hidden_multiple_gives_way_in_the_model_but_not_in_a_layer():
    assert with_values(tiny(feed_forward={"hidden_multiple": 2}).config, {HIDDEN: 50}).feed_forward == (
        tiny(feed_forward={"hidden_dim": 50}).config.feed_forward
    )
    layered = tiny(layers=[{"feed_forward": {"hidden_multiple": 2}}, {}], n_layers=4)
    with pytest.raises(
        ValueError, match=r"layers\[0\].feed_forward.hidden_multiple: the hidden size is given"
    ):
        match_variant(layered, tiny(), "params", [HIDDEN])


def test_the_declaration_of_a_match_loads_as_the_match(tmp_path):
    (tmp_path / "mine.yaml").write_text("extends: gpt-nano\nfeed_forward: {kind: gated}\n")
    reference = str(tmp_path / "mine.yaml")
    changed = load_variant(reference, ["position.kind=rotary", "layers=[{n_heads: 2}, {}]"])
    match = match_variant(changed, load_variant("gpt-nano"), "params", [HIDDEN, "n_layers"])
    folder = tmp_path / "out" / "deep"
    data = declare_match(match, reference, folder)
    assert data["extends"] == "../../mine.yaml"
    assert data["position"] == {"kind": "rotary"}
    assert resolve_variant(data, folder=folder).config == match.variant.config


def test_divisors_far_apart_are_found():
    axis = Axis(lambda value: value if 12288 % value == 0 else None)
    # The divisors of 12288 = 3·2¹² on both sides of 5000 are 2048·2 and 3·2048.
    assert [point.value for point in axis.enclose(5000)] == [4096, 6144]


def test_the_largest_valid_value_has_none_above_it():
    axis = Axis(lambda value: value if 768 % value == 0 else None)
    below, above = axis.enclose(20_000)
    assert (below.value, above) == (768, None)


def test_a_cost_may_fall_with_the_number():
    axis = Axis(lambda value: 1_000_000 // value)
    below, above = axis.enclose(3000)
    assert (above.value, below.value) == (333, 334)
