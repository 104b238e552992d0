"""Three counts of FLOPs agree for what is shipped, and what is planted wrong is found where it stands."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar, Literal

import pytest
import torch
from config_strategies import SHIPPED_KINDS, config_with, gpt_configs
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import registry
from gpt_zoo import GPTConfig, model_cost
from gpt_zoo.config.attention.heads import HeadsAttentionConfig
from gpt_zoo.config.component import Macs
from gpt_zoo.config.feed_forward.plain import FeedForwardConfig
from gpt_zoo.layers.attention import MultiHeadAttention
from gpt_zoo.layers.feed_forward import FeedForward
from gpt_zoo.measure.condensed import build_condensed
from gpt_zoo.measure.flops import count_with_fvcore, count_with_torch, measure_flops_forward
from gpt_zoo.measure.reconcile import Counts, ModuleCounts, reconcile
from gpt_zoo.weights import build_empty
from registry.plugins import all_or_nothing


class Undone(Exception):
    """Ends a test, so that what it has registered is taken back."""


@pytest.fixture
def _nothing_stays_registered() -> Iterator[None]:
    with suppress(Undone), all_or_nothing():
        yield
        raise Undone


def modules_of(config: GPTConfig, **options: Any) -> dict[str, ModuleCounts]:
    return {module.place.name: module for module in reconcile(config, **options).modules}


def differing(config: GPTConfig) -> list[str]:
    return [name for name, module in modules_of(config).items() if not module.agree]


def same(flops: int) -> tuple[Counts, Counts]:
    return Counts(flops, flops, flops), Counts(2 * flops, None, 2 * flops)


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_every_kind_agrees_in_each_module(slot: str, kind: str) -> None:
    assert differing(config_with(slot, kind, n_layers=3)) == []


@given(gpt_configs(), st.data())
def test_every_model_agrees_in_each_module(config: GPTConfig, data: st.DataObject) -> None:
    found = reconcile(config, data.draw(st.integers(1, config.context_length)))
    assert [module for module in found.modules if not module.agree] == []
    assert found.whole.forward.torch == model_cost(config, found.context_length).flops_forward


def test_gpt2_by_hand() -> None:
    width, time, vocabulary = 768, 1024, 50257
    modules = modules_of(registry.load_variant("gpt2").config)
    expected = {
        "blocks.0-11.attention.query": 2 * time * width**2,
        "blocks.0-11.attention": 2 * (4 * time * width**2 + 2 * time**2 * width),
        "blocks.0-11.feed_forward.expand": 2 * time * 4 * width**2,
        "head": 2 * time * width * vocabulary,
    }
    assert {name: (modules[name].forward, modules[name].backward) for name in expected} == {
        name: same(flops) for name, flops in expected.items()
    }
    assert modules["blocks.0-11"].place.count == 12
    assert "final_norm" not in modules


def test_an_expert_reads_its_share_of_the_tokens() -> None:
    config = config_with("feed_forward", "mixture_of_experts", n_layers=3, context_length=20)
    found = reconcile(config)
    modules = {module.place.name: module for module in found.modules}
    expert = modules["blocks.0-2.feed_forward.experts.0-4"]  # 40 choices, 8 for each of 5 experts
    assert (expert.forward, expert.backward) == same(2 * 8 * 3 * 24 * 11)
    assert [note.partition(": ")[0] for note in found.notes] == ["blocks.0-2.feed_forward"]


def test_operators_that_are_left_out_are_told_for_the_whole_model() -> None:
    config = config_with("attention", "multi_head", n_layers=7, position={"kind": "none"})
    left_out = reconcile(config).left_out
    assert (left_out["aten::layer_norm"], left_out["aten::gelu"], left_out["aten::embedding"]) == (15, 7, 1)


@given(gpt_configs())
@settings(max_examples=12)
def test_layers_that_are_alike_need_not_be_counted_again(drawn: GPTConfig) -> None:
    config = GPTConfig.model_validate(drawn.model_dump() | {"n_layers": 6})
    condensed, whole = build_condensed(config), build_empty(config).eval()
    fvcore = count_with_fvcore(whole)
    assert measure_flops_forward(config) == fvcore.flops[""]
    assert reconcile(config).left_out == fvcore.left_out[""]
    few, many = count_with_torch(condensed.model), count_with_torch(whole)
    for kept, counted in ((few.forward, many.forward), (few.backward, many.backward)):
        assert condensed.whole(kept).get("", 0) == counted.get("", 0)
        for index, layers in enumerate(condensed.stands_for):
            for layer in layers:
                for part in ("attention", "feed_forward"):
                    of_all = counted.get(f"blocks.{layer}.{part}", 0)
                    assert kept.get(f"blocks.{index}.{part}", 0) == of_all


def test_hundreds_of_layers_are_built_twice_at_most() -> None:
    windows = [{"attention": {"window": 5}}, {}]
    condensed = build_condensed(config_with("attention", "multi_head", n_layers=301, layers=windows))
    kept = [(0,), (1,), tuple(range(2, 301, 2)), tuple(range(3, 301, 2))]
    assert sorted(condensed.stands_for) == kept
    assert len(condensed.model.blocks) == 4


class PlantedAttention(HeadsAttentionConfig):
    kind: Literal["planted"] = "planted"
    module: ClassVar[str] = "gpt_zoo.layers.attention:MultiHeadAttention"
    source: ClassVar[str] = "a test"

    def key_value_heads(self, model: GPTConfig) -> int:
        return model.n_heads


class WithoutValues(PlantedAttention):
    def macs(self, model: GPTConfig, time: int) -> Macs:
        right = super().macs(model, time)
        return Macs(right.linear, right.attention // 2, right.attention_causal // 2)


class MovesOne(PlantedAttention):
    def macs(self, model: GPTConfig, time: int) -> Macs:
        return super().macs(model, time) + Macs(linear=1)


class MovedHere(FeedForwardConfig):
    kind: Literal["planted"] = "planted"  # type: ignore[assignment]
    module: ClassVar[str] = "gpt_zoo.layers.feed_forward:FeedForward"

    def macs(self, model: GPTConfig, time: int) -> Macs:
        return super().macs(model, time) + Macs(linear=-1)


class DetachesValues(PlantedAttention):
    module: ClassVar[str] = f"{__name__}:DetachedValues"


class DetachedValues(MultiHeadAttention):
    def mix(self, query: Tensor, key: Tensor, value: Tensor, flow: Any) -> Tensor:
        return super().mix(query, key, value.detach(), flow)


@pytest.mark.usefixtures("_nothing_stays_registered")
def test_a_wrong_formula_is_found_where_it_stands() -> None:
    registry.register_kind("attention", WithoutValues)
    config = config_with("norm", "rms_norm", attention={"kind": "planted"})
    assert differing(config) == ["", "blocks.0-1", "blocks.0-1.attention"]
    attention = modules_of(config)["blocks.0-1.attention"]
    lacking = 2 * 19 * 19 * 24
    assert (attention.forward.agree, attention.backward.agree) == (False, False)
    assert attention.forward.torch == attention.forward.fvcore == attention.forward.closed_form + lacking


@pytest.mark.usefixtures("_nothing_stays_registered")
def test_errors_that_cancel_out_in_sum_are_found() -> None:
    registry.register_kind("attention", MovesOne)
    registry.register_kind("feed_forward", MovedHere)
    config = config_with("norm", "rms_norm", attention={"kind": "planted"}, feed_forward={"kind": "planted"})
    found = reconcile(config)
    assert found.whole.agree
    assert not found.agree
    assert differing(config) == ["blocks.0-1.attention", "blocks.0-1.feed_forward"]


@pytest.mark.usefixtures("_nothing_stays_registered")
def test_a_backward_pass_that_multiplies_less_is_found() -> None:
    registry.register_kind("attention", DetachesValues)
    modules = modules_of(config_with("norm", "rms_norm", attention={"kind": "planted"}))
    attention = modules["blocks.0-1.attention"]
    assert attention.forward.agree
    # No gradient for the values: one product less of the weights, two less of their projection.
    lacking = 2 * (19 * 19 * 24 + 2 * 19 * 24 * 24)
    assert attention.backward.torch == attention.backward.closed_form - lacking


class Routed(FeedForwardConfig):
    kind: Literal["planted"] = "planted"  # type: ignore[assignment]
    module: ClassVar[str] = f"{__name__}:RoutedByData"


class RoutedByData(FeedForward):
    def forward(self, x: Tensor) -> Tensor:
        here = (x.mean(dim=-1) > 0).nonzero(as_tuple=True)
        made = torch.zeros_like(x)
        made[here] = super().forward(x[here])
        return made


class Broken(FeedForwardConfig):
    kind: Literal["planted"] = "planted"  # type: ignore[assignment]
    module: ClassVar[str] = f"{__name__}:Misshapen"


class Misshapen(FeedForward):
    def forward(self, x: Tensor) -> Tensor:
        return x @ x


@pytest.mark.usefixtures("_nothing_stays_registered")
def test_what_cannot_run_without_data_is_counted_by_its_closed_form_and_says_so() -> None:
    registry.register_kind("feed_forward", Routed)
    config = config_with("norm", "rms_norm", n_layers=3, layers=[{"feed_forward": {"kind": "planted"}}, {}])
    found = reconcile(config)
    assert found.agree
    modules = {module.place.name: module for module in found.modules}
    flops = 2 * 19 * 2 * 24 * 96
    routed = modules["blocks.0,2.feed_forward"]
    assert (routed.forward, routed.backward) == (Counts(flops, None, None), Counts(2 * flops, None, None))
    assert modules["blocks.1.feed_forward"].forward == Counts(flops, flops, flops)
    assert found.whole.forward.torch == model_cost(config).flops_forward
    assert "blocks.0,2.feed_forward: cannot be run without data" in " ".join(found.notes)


@pytest.mark.usefixtures("_nothing_stays_registered")
def test_a_mistake_is_not_taken_for_want_of_data() -> None:
    registry.register_kind("feed_forward", Broken)
    with pytest.raises(RuntimeError, match="size"):
        reconcile(config_with("norm", "rms_norm", feed_forward={"kind": "planted"}))


@pytest.mark.parametrize("time", [0, 20])
def test_a_length_that_the_model_cannot_read_is_refused(time: int) -> None:
    with pytest.raises(ValueError, match=r"at least 1|fit the context"):
        reconcile(config_with("norm", "layer_norm"), time)
