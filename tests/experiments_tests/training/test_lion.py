import pytest
import torch
from torch import nn

from experiments.training.config import TrainingConfig
from experiments.training.lion import Lion
from experiments.training.optimizer import build_optimizers
from gpt_zoo.cost.optimizers import LION_PART_BYTES


def test_steps_of_a_scalar_are_as_written_in_the_paper() -> None:
    weight = nn.Parameter(torch.ones(1, 1))
    bias = nn.Parameter(torch.ones(1))
    training = TrainingConfig(optimizer="lion", learning_rate=0.1, weight_decay=0.2, betas=(0.9, 0.5))
    [optimizer] = build_optimizers([("weight", weight), ("bias", bias)], training)
    for gradient in (1.0, -0.2, -20.0):
        weight.grad, bias.grad = torch.full((1, 1), gradient), torch.full((1,), gradient)
        optimizer.step()
    # m is 0, 0.5·1 = 0.5, 0.25 - 0.1 = 0.15; the signs are those of 0.1·1, 0.45 - 0.02 and 0.135 - 2: + + -.
    # Were m mixed by β₂ in the step too, or a step the momentum's after it, the second had the other sign.
    assert bias.item() == pytest.approx(1 - 0.1 - 0.1 + 0.1, rel=1e-6)
    assert weight.item() == pytest.approx(((1 * 0.98 - 0.1) * 0.98 - 0.1) * 0.98 + 0.1, rel=1e-6)
    assert optimizer.state[bias]["momentum"].item() == pytest.approx(0.075 - 10, rel=1e-6)


def test_weights_beyond_the_size_of_a_part_are_all_stepped() -> None:
    length = LION_PART_BYTES // 4 // 2 + 1  # two do not fit into a part
    weights = [nn.Parameter(torch.zeros(size)) for size in (length, 3, length, 3 * length, 5)]
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    Lion(weights, lr=0.5).step()
    assert all((weight == -0.5).all() for weight in weights)


def test_a_weight_without_gradient_stays() -> None:
    given, left = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = Lion([given, left], lr=0.25, weight_decay=0.5)
    given.grad = torch.tensor([3.0, 0.0])
    optimizer.step()
    assert left.tolist() == [1.0, 1.0]
    assert left not in optimizer.state
    assert given.tolist() == [0.625, 0.875]  # sign(0) is 0: only the decay


def test_a_state_that_was_kept_goes_on_the_same() -> None:
    torch.manual_seed(0)
    gradients = torch.randn(6, 7)

    def steps(optimizer: Lion, weight: nn.Parameter, part: slice) -> None:
        for gradient in gradients[part]:
            weight.grad = gradient.clone()
            optimizer.step()

    whole, cut = nn.Parameter(torch.ones(7)), nn.Parameter(torch.ones(7))
    steps(Lion([whole], lr=0.1), whole, slice(None))
    first = Lion([cut], lr=0.1)
    steps(first, cut, slice(3))
    second = Lion([cut], lr=0.1)
    second.load_state_dict(first.state_dict())
    steps(second, cut, slice(3, None))
    assert torch.equal(whole, cut)
