import pytest
import torch
from tiny_trainings import tiny
from torch import nn

from experiments.training.config import TrainingConfig
from experiments.training.optimizer import build_optimizers, set_learning_rate
from gpt_zoo.model import GPTModel


@pytest.mark.parametrize("name", ["adamw", "lion", "muon"])
def test_only_matrices_and_tables_decay(name: str) -> None:
    model = GPTModel(tiny(qkv_bias=True))
    training = TrainingConfig.model_validate({"optimizer": name, "weight_decay": 0.3})
    optimizers = build_optimizers(model.named_parameters(), training)
    decay = {
        id(parameter): group["weight_decay"]
        for optimizer in optimizers
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert len(decay) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        is_scale_or_bias = name.endswith("bias") or "norm" in name
        assert decay[id(parameter)] == (0.0 if is_scale_or_bias else 0.3), name


def test_a_tied_table_is_one_parameter_of_the_optimizer() -> None:
    model = GPTModel(tiny(tie_embeddings=True))
    [optimizer] = build_optimizers(model.named_parameters(), TrainingConfig())
    given = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    assert sum(parameter is model.token_table.weight for parameter in given) == 1


def test_a_step_of_a_scalar_is_as_written_in_the_paper() -> None:
    layer = nn.Linear(1, 1)
    nn.init.ones_(layer.weight)
    nn.init.ones_(layer.bias)
    training = TrainingConfig(learning_rate=0.1, weight_decay=0.2, betas=(0.9, 0.99))
    [optimizer] = build_optimizers(layer.named_parameters(), training)
    for gradient in (0.5, -0.5):
        layer.weight.grad = torch.full((1, 1), gradient)
        layer.bias.grad = torch.full((1,), gradient)
        optimizer.step()
    # Step 1: both moments are corrected to the gradient and its square, so the step is 0.1 · 0.5 / 0.5.
    # Step 2: m = 0.9 · 0.05 - 0.05 = -0.005, over 1 - 0.9² = 0.19; v is corrected to 0.25 again.
    second = 0.1 * (-0.005 / 0.19) / 0.5
    assert layer.bias.item() == pytest.approx(1 - 0.1 - second, rel=1e-6)
    assert layer.weight.item() == pytest.approx((1 * 0.98 - 0.1) * 0.98 - second, rel=1e-6)


@pytest.mark.parametrize("name", ["adamw", "lion", "muon"])
def test_all_groups_are_at_the_same_share_of_the_peak(name: str) -> None:
    training = TrainingConfig.model_validate({"optimizer": name, "learning_rate": 0.5})
    optimizers = build_optimizers(GPTModel(tiny()).named_parameters(), training)

    def rates() -> set[float]:
        return {group["lr"] for optimizer in optimizers for group in optimizer.param_groups}

    assert rates() == {0.5}
    for factor in (0.25, 1.0):  # of the peak, not of what was set before
        set_learning_rate(optimizers, training, factor)
        assert rates() == {0.5 * factor}


def test_adamw_is_one_kernel() -> None:
    [optimizer] = build_optimizers([("head.weight", nn.Parameter(torch.ones(2, 2)))], TrainingConfig())
    assert optimizer.param_groups[0]["fused"] is True
