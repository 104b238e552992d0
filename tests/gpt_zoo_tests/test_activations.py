"""Activations against their formulas, computed number by number without torch."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gpt_zoo import GELU, GPTConfig
from gpt_zoo.layers.activations import ACTIVATIONS
from gpt_zoo.layers.feed_forward import Activation

FORMULAS = {
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "gelu_tanh": lambda x: x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "gelu_quick": lambda x: x / (1 + math.exp(-1.702 * x)),
    "relu": lambda x: max(x, 0.0),
    "relu_squared": lambda x: max(x, 0.0) ** 2,
    "silu": lambda x: x / (1 + math.exp(-x)),
    "identity": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": lambda x: (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x)),
    "mish": lambda x: x * math.tanh(math.log1p(math.exp(x))),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "elu": lambda x: x if x > 0 else math.expm1(x),
    # The constants as Klambauer et al. 2017 print them, equation 14.
    "selu": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x)),
    "leaky_relu": lambda x: x if x > 0 else x / 100,
    "hard_swish": lambda x: x * min(max(x + 3, 0.0), 6.0) / 6,
}
POINTS = [-7.0, -2.5, -1.0, -0.1, 0.0, 1e-3, 0.5, 1.0, 3.0, 11.0]


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation_equals_its_formula(name: str) -> None:
    points = torch.tensor(POINTS, dtype=torch.float64)
    expected = torch.tensor([FORMULAS[name](x) for x in POINTS], dtype=torch.float64)
    torch.testing.assert_close(ACTIVATIONS[name](points), expected, rtol=1e-12, atol=1e-14)
    assert torch.equal(Activation(name)(points), ACTIVATIONS[name](points))


def test_known_values() -> None:
    one = torch.ones(1, dtype=torch.float64)
    # Φ(1) of the tables; σ(1) = 0.7310586; GPT-2's approximation gives 0.8411920.
    assert ACTIVATIONS["gelu"](one).item() == pytest.approx(0.8413447460685429, abs=1e-12)
    assert ACTIVATIONS["silu"](one).item() == pytest.approx(0.7310585786300049, abs=1e-12)
    assert ACTIVATIONS["gelu_tanh"](one).item() == pytest.approx(0.8411919906, abs=1e-9)


def gelu_written_out(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * x * (1 + (math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)).tanh())


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=50))
def test_the_fused_tanh_approximation_equals_the_written_out(numbers: list[float]) -> None:
    x = torch.tensor(numbers, dtype=torch.float64)
    torch.testing.assert_close(ACTIVATIONS["gelu_tanh"](x), gelu_written_out(x), rtol=1e-9, atol=1e-12)


@given(st.floats(-30, 30))
def test_approximations_are_close_to_the_exact_one(x: float) -> None:
    # Bounds as one reads them off the plots: 5e-4 for the tanh, 0.021 for the sigmoid approximation.
    point = torch.tensor([x], dtype=torch.float64)
    exact = ACTIVATIONS["gelu"](point)
    assert (ACTIVATIONS["gelu_tanh"](point) - exact).abs() < 5e-4
    assert (ACTIVATIONS["gelu_quick"](point) - exact).abs() < 0.021


def test_the_module_is_that_of_gpt2_unless_told_otherwise() -> None:
    x = torch.randn(3, 5)
    assert torch.equal(GELU()(x), torch.nn.GELU(approximate="tanh")(x))
    assert torch.equal(GELU("gelu")(x), torch.nn.GELU()(x))
    assert "gelu_tanh" in repr(GELU())


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"no activation is called `sillu`; did you mean `silu`\?"):
        Activation("sillu")


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("kind", ["plain", "gated"])
def test_feed_forward_equals_its_matrices_with_the_activation_between(kind: str, name: str) -> None:
    config = GPTConfig(
        vocab_size=2, context_length=3, emb_dim=5, n_heads=1, n_layers=1, activation=name,
        feed_forward={"kind": kind, "hidden_dim": 7, "bias": True},
    )  # fmt: skip
    module = config.feed_forward.build(config).double()
    x = torch.randn(5, dtype=torch.float64)

    def linear(matrix: torch.nn.Linear, vector: list[float]) -> list[float]:
        rows, shifts = matrix.weight.tolist(), matrix.bias.tolist()
        return [
            sum(w * v for w, v in zip(row, vector, strict=True)) + b
            for row, b in zip(rows, shifts, strict=True)
        ]

    expanded = linear(module.expand, x.tolist())
    if kind == "gated":
        gate = linear(module.gate, x.tolist())
        hidden = [FORMULAS[name](g) * e for g, e in zip(gate, expanded, strict=True)]
    else:
        hidden = [FORMULAS[name](e) for e in expanded]
    expected = torch.tensor(linear(module.output, hidden), dtype=torch.float64)
    torch.testing.assert_close(module(x), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("width", "hidden"),
    # 8/3·D up to the next multiple of 8: 2048 for 768 exactly; 8/3·100 = 266.7 goes up to 272.
    [(768, 2048), (100, 272), (3, 8), (1, 8), (4, 16)],
)
def test_a_gated_network_has_the_weights_of_a_plain_one_unless_declared(width: int, hidden: int) -> None:
    config = GPTConfig(
        vocab_size=2, context_length=3, emb_dim=width, n_heads=1, n_layers=1, feed_forward={"kind": "gated"}
    )
    assert config.feed_forward.hidden(config) == hidden
