import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gpt_zoo import LayerNorm, RMSNorm
from gpt_zoo.config.norm.layer_norm import LayerNormConfig
from gpt_zoo.config.norm.rms_norm import RMSNormConfig

VECTORS = st.lists(st.floats(-100, 100), min_size=2, max_size=17)


def test_layer_norm_by_hand() -> None:
    # Mean 5, deviations -3 -1 1 3, variance (9 + 1 + 1 + 9) / 4 = 5; with eps 4 the root is 3.
    norm = LayerNorm(LayerNormConfig(eps=4.0), 4).double()
    x = torch.tensor([2.0, 4, 6, 8], dtype=torch.float64)
    torch.testing.assert_close(norm(x), torch.tensor([-1, -1 / 3, 1 / 3, 1], dtype=torch.float64))
    with torch.no_grad():
        norm.scale.copy_(torch.tensor([3.0, 3, 3, 6]))
        norm.shift.copy_(torch.tensor([0.0, 0, 10, 0]))
    torch.testing.assert_close(norm(x), torch.tensor([-3.0, -1, 11, 6], dtype=torch.float64))


def test_rms_norm_by_hand() -> None:
    # Mean square (1 + 49 + 25 + 25) / 4 = 25; with eps 11 the root is 6. Nothing is subtracted.
    norm = RMSNorm(RMSNormConfig(eps=11.0), 4).double()
    x = torch.tensor([1.0, 7, 5, 5], dtype=torch.float64)
    torch.testing.assert_close(norm(x), torch.tensor([1 / 6, 7 / 6, 5 / 6, 5 / 6], dtype=torch.float64))
    with torch.no_grad():
        norm.scale.copy_(torch.tensor([6.0, 12, -6, 0]))
    torch.testing.assert_close(norm(x), torch.tensor([1.0, 14, -5, 0], dtype=torch.float64))


@given(VECTORS)
def test_layer_norm_equals_its_formula(numbers: list[float]) -> None:
    mean = sum(numbers) / len(numbers)
    root = math.sqrt(sum((x - mean) ** 2 for x in numbers) / len(numbers) + 1e-5)  # GPT-2's eps
    norm = LayerNorm(LayerNormConfig(), len(numbers)).double()
    expected = torch.tensor([(x - mean) / root for x in numbers], dtype=torch.float64)
    torch.testing.assert_close(
        norm(torch.tensor(numbers, dtype=torch.float64)), expected, rtol=1e-9, atol=1e-9
    )


@given(VECTORS)
def test_rms_norm_equals_its_formula(numbers: list[float]) -> None:
    root = math.sqrt(sum(x * x for x in numbers) / len(numbers) + 1e-5)
    norm = RMSNorm(RMSNormConfig(), len(numbers)).double()
    expected = torch.tensor([x / root for x in numbers], dtype=torch.float64)
    torch.testing.assert_close(
        norm(torch.tensor(numbers, dtype=torch.float64)), expected, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("norm", [LayerNorm(LayerNormConfig(), 5), RMSNorm(RMSNormConfig(), 5)])
def test_each_vector_is_normalised_on_its_own(norm: torch.nn.Module) -> None:
    x = torch.randn(2, 3, 5)
    torch.testing.assert_close(norm(x)[1, 2], norm(x[1, 2]))
    assert torch.equal(norm(torch.zeros(5)), torch.zeros(5)), "eps keeps zeros from a division by zero"


def test_a_scale_of_one_and_a_little_is_not_rounded_before_it_multiplies() -> None:
    # bfloat16 has 8 bits: of 1 + 7·2^-10 it would keep 1 + 2^-7.
    norm = RMSNormConfig(unit_offset=True, eps=1e-30).build(2).bfloat16()
    with torch.no_grad():
        norm.scale.fill_(7 * 2.0**-10)
    for part in range(1, 60):
        x = torch.tensor([1 + part / 64, 0.75], dtype=torch.bfloat16)
        exact = x.double() / x.double().square().mean().sqrt() * (1 + 7 * 2.0**-10)
        assert torch.equal(norm(x), exact.bfloat16())
