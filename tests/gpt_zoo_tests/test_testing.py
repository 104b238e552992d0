"""The public contract checks: what is shipped passes, and each way of breaking the contract is found."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar, Literal

import pytest
import torch
from config_strategies import SHIPPED_KINDS, config_with
from pydantic import field_serializer
from torch import Tensor, nn

import registry
from gpt_zoo import GPTConfig
from gpt_zoo.config.attention.heads import HeadsAttentionConfig
from gpt_zoo.config.component import Component, Macs
from gpt_zoo.config.head.linear import LinearHeadConfig
from gpt_zoo.config.norm.base import NormConfig
from gpt_zoo.config.tape import Made, Tape
from gpt_zoo.layers.attention import MultiHeadAttention
from gpt_zoo.layers.flow import Flow
from gpt_zoo.layers.head import LinearHead
from gpt_zoo.testing import CHECKS, check_component, check_variant, find_dependence
from registry.plugins import all_or_nothing


class Undone(Exception):
    """Ends a test, so that what it has registered is taken back."""


@pytest.fixture(autouse=True)
def _nothing_stays_registered() -> Iterator[None]:
    with suppress(Undone), all_or_nothing():
        yield
        raise Undone


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_every_shipped_kind_keeps_the_contract(slot: str, kind: str) -> None:
    check_variant(config_with(slot, kind))


@pytest.mark.parametrize(
    ("slot", "name"),
    [
        ("activation", "silu"),
        ("initialization", "small_init"),
        ("expert", {"kind": "gated", "hidden_dim": 11}),
        ("rotary_scaling", {"kind": "ntk", "factor": 2.0}),
    ],
)
def test_names_and_inner_components_keep_it_too(slot: str, name: Any) -> None:
    check_component(slot, name)


class Heads(HeadsAttentionConfig):
    kind: Literal["broken"] = "broken"
    source: ClassVar[str] = "a test"

    def key_value_heads(self, model: GPTConfig) -> int:
        return model.n_heads


class MiscountedParams(Heads):
    module: ClassVar[str] = "gpt_zoo.layers.attention:MultiHeadAttention"

    def params(self, model: GPTConfig) -> int:
        return super().params(model) + 1


class MiscountedMacs(Heads):
    module: ClassVar[str] = "gpt_zoo.layers.attention:MultiHeadAttention"

    def macs(self, model: GPTConfig, time: int) -> Macs:
        return Macs(super().macs(model, time).linear, 0, 0)


class SeesAhead(Heads):
    module: ClassVar[str] = f"{__name__}:LooksAhead"


class LooksAhead(MultiHeadAttention):
    def forward(self, x: Tensor, flow: Flow | None = None, cache: Any = None) -> Tensor:
        return super().forward(x, flow, cache) + x.mean(dim=1, keepdim=True)


class ForgetsPadding(Heads):
    module: ClassVar[str] = f"{__name__}:SeesPadding"


class SeesPadding(MultiHeadAttention):
    def forward(self, x: Tensor, flow: Flow | None = None, cache: Any = None) -> Tensor:
        flow = flow or Flow.over(x)
        return super().forward(x, Flow(flow.positions, flow.key_positions), cache)


class MiscountedCache(Heads):
    module: ClassVar[str] = "gpt_zoo.layers.attention:MultiHeadAttention"

    def cache_values_per_token(self, model: GPTConfig) -> int:
        return 7


class Norm(NormConfig):
    kind: Literal["broken"] = "broken"
    module: ClassVar[str] = f"{__name__}:Plain"
    source: ClassVar[str] = "a test"

    def params(self, width: int) -> int:
        return 0


class Plain(nn.Module):
    def __init__(self, config: Norm, width: int) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x


class CountsTokens(Norm):
    module: ClassVar[str] = f"{__name__}:DividesByTime"


class DividesByTime(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return x / x.size(1)


class Undrawn(Norm):
    module: ClassVar[str] = f"{__name__}:NeverReset"

    def params(self, width: int) -> int:
        return width


class NeverReset(Plain):
    def __init__(self, config: Norm, width: int) -> None:
        super().__init__(config, width)
        self.scale = nn.Parameter(torch.ones(width))

    def reset_parameters(self) -> None:
        """Forgets the scale."""

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


class Unused(Undrawn):
    module: ClassVar[str] = f"{__name__}:Idle"


class Idle(NeverReset):
    def reset_parameters(self) -> None:
        nn.init.ones_(self.scale)

    def forward(self, x: Tensor) -> Tensor:
        return x


class Allocates(Norm):
    module: ClassVar[str] = f"{__name__}:OnCpu"


class OnCpu(Plain):
    def __init__(self, config: Norm, width: int) -> None:
        super().__init__(config, width)
        self.register_buffer("ones", torch.ones(width, device="cpu"), persistent=False)

    def reset_parameters(self) -> None:
        self.ones.fill_(1)


class Forgets(Norm):
    size: int = 3

    @field_serializer("size")
    def _always_three(self, size: int) -> int:
        return 3


class Cut(LinearHeadConfig):
    kind: Literal["broken"] = "broken"  # type: ignore[assignment]
    module: ClassVar[str] = f"{__name__}:CutHead"


class CutHead(LinearHead):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[..., 1:]


class MiscountedMemory(Heads):
    module: ClassVar[str] = "gpt_zoo.layers.attention:MultiHeadAttention"

    def trace(self, tape: Tape, model: GPTConfig, x: Made) -> Made:
        made = super().trace(tape, model, x)
        tape.keep(4)
        return made


BROKEN: list[tuple[str, type[Component], dict[str, Any], str]] = [
    ("norm", Forgets, {"size": 4}, "check_round_trip: what JSON gives back is another config"),
    ("norm", Allocates, {}, "check_meta: built on the meta device, .*ones takes memory"),
    ("norm", Undrawn, {}, "check_initialization: .*scale.* gets no value; set it in `reset_parameters`"),
    # 4·24² weights and the 24 biases of the output.
    ("attention", MiscountedParams, {}, "check_parameters: attention of layer 0 has 2328 .* says 2329"),
    ("attention", MiscountedMacs, {}, "check_flops: blocks.0-1.attention takes .* FLOPs .* `macs` says"),
    ("head", Cut, {}, r"check_shape: logits have the shape \(2, 1, 60\), expected \(2, 1, 61\)"),
    ("attention", SeesAhead, {}, "check_causality: token 0 sees token 1, which comes later"),
    ("norm", Unused, {}, "check_gradients: .*scale.* gets no gradient"),
    ("norm", CountsTokens, {}, "check_generation: with a cache, after a prompt of 1, logits differ"),
    # A key and a value of 24 numbers.
    ("attention", MiscountedCache, {}, "check_cache_size: layer 0 keeps 48 numbers of 1 tokens, .* says 7"),
    ("attention", ForgetsPadding, {}, "check_padding: behind 6 tokens of padding, logits differ"),
    # 4 bytes in each of the two layers.
    ("attention", MiscountedMemory, {}, "check_memory: 136820 bytes are saved, `trace` says 136828; float32"),
]


@pytest.mark.parametrize(
    ("slot", "config", "fields", "told"), BROKEN, ids=lambda value: getattr(value, "__name__", "")
)
def test_each_way_to_break_the_contract_is_found(
    slot: str, config: type[Component], fields: dict[str, Any], told: str
) -> None:
    registry.register_kind(slot, config)
    with pytest.raises(AssertionError, match=told):
        check_component(slot, {"kind": "broken"} | fields)


def test_every_check_can_fail() -> None:
    assert [told.partition(":")[0] for *_, told in BROKEN] == [check.__name__ for check in CHECKS]


def test_a_kind_that_does_not_say_what_it_keeps_is_found() -> None:
    registry.register_kind("norm", Norm)
    with pytest.raises(
        AssertionError, match=r"check_memory: the kind `broken` does not say .* give its config"
    ):
        check_component("norm", {"kind": "broken"})


def test_an_activation_without_bounds_is_found() -> None:
    registry.activation("reciprocal")(lambda x: 1 / x.relu())
    with pytest.raises(
        AssertionError, match=r"activation reciprocal with nothing else: check_shape: .*not finite"
    ):
        check_component("activation", "reciprocal")


def test_what_no_model_accepts_is_an_error_and_no_broken_contract() -> None:
    with pytest.raises(ValueError, match="did you mean `multi_head`"):
        check_component("attention", {"kind": "multi_haed"})
    with pytest.raises(ValueError, match="there is no slot `atention`"):
        check_component("atention", {"kind": "multi_head"})
    with pytest.raises(ValueError, match="got 124,439,808: try"):
        check_variant(registry.load_variant("gpt2").config)


def test_surroundings_that_a_component_refuses_are_left_out() -> None:
    check_component("attention", {"kind": "gated_linear"})  # takes no rotary positions
    with pytest.raises(ValueError, match="gated_linear"):
        check_component("attention", {"kind": "gated_linear"}, position={"kind": "rotary"})


def test_dependence_of_a_window_reaches_as_far_as_it_adds_up_over_layers() -> None:
    config = config_with("attention", "multi_head", attention={"kind": "multi_head", "window": 4}, n_layers=2)
    time = torch.arange(config.context_length)
    distance = time[:, None] - time[None, :]
    assert torch.equal(find_dependence(config), (distance >= 0) & (distance <= 2 * 3))


def test_the_checks_are_repeatable_and_disturb_no_random_numbers() -> None:
    torch.manual_seed(7)
    expected = torch.randn(3)
    torch.manual_seed(7)
    check_variant(config_with("norm", "rms_norm"))
    assert torch.equal(torch.randn(3), expected)
