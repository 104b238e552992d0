import pytest
import torch
from tiny_trainings import tiny
from torch import nn

from experiments.training.config import TrainingConfig
from experiments.training.optimizer import build_optimizers
from gpt_zoo.model import GPTModel

MUON = TrainingConfig(optimizer="muon", learning_rate=0.01, weight_decay=0.0)


def test_muon_takes_the_matrices_of_layers_and_adamw_the_rest() -> None:
    model = GPTModel(tiny(qkv_bias=True))
    muon, adamw = build_optimizers(model.named_parameters(), MUON)
    assert (type(muon), type(adamw)) == (torch.optim.Muon, torch.optim.AdamW)
    turned = {id(parameter) for group in muon.param_groups for parameter in group["params"]}
    stepped = {id(parameter) for group in adamw.param_groups for parameter in group["params"]}
    assert not turned & stepped
    assert len(turned) == 6  # query, key, value, output, and two of the feed-forward part
    assert len(turned | stepped) == len(list(model.parameters()))
    assert id(model.token_table.weight) in stepped
    assert id(model.head.weight) in stepped


@pytest.mark.parametrize(("names", "kind"), [(["blocks.0.up.weight"], "Muon"), (["head.weight"], "AdamW")])
def test_an_optimizer_with_nothing_to_step_is_left_out(names: list[str], kind: str) -> None:
    built = build_optimizers([(name, nn.Parameter(torch.ones(2, 2))) for name in names], MUON)
    assert [type(optimizer).__name__ for optimizer in built] == [kind]


def test_stacked_matrices_of_layers_are_left_to_adamw() -> None:
    [adamw] = build_optimizers([("blocks.0.experts", nn.Parameter(torch.ones(2, 3, 4)))], MUON)
    assert isinstance(adamw, torch.optim.AdamW)
    assert adamw.param_groups[0]["weight_decay"] == MUON.weight_decay


@pytest.mark.parametrize("shape", [(48, 48), (24, 96), (96, 24)])
def test_a_step_is_as_large_as_one_of_adamw(shape: tuple[int, int]) -> None:
    """Singular values of about 1, times 0.2·√(longer side), are an RMS of 0.2: Liu et al. 2025."""
    torch.manual_seed(0)
    weight = nn.Parameter(torch.zeros(shape))
    [muon] = build_optimizers([("blocks.0.up.weight", weight)], MUON)
    weight.grad = torch.randn(shape)
    muon.step()
    assert weight.square().mean().sqrt().item() / 0.01 == pytest.approx(0.2, rel=0.2)
    singular = torch.linalg.svdvals(weight.detach()) / (0.01 * 0.2 * max(shape) ** 0.5)
    assert 0.5 < singular.min() < singular.max() < 1.5


def test_both_decay_by_the_learning_rate_times_the_decay() -> None:
    training = TrainingConfig(optimizer="muon", learning_rate=0.1, weight_decay=0.5)
    named = [(name, nn.Parameter(torch.ones(2, 2))) for name in ("blocks.0.up.weight", "head.weight")]
    for _, parameter in named:
        parameter.grad = torch.zeros(2, 2)
    for optimizer in build_optimizers(named, training):
        optimizer.step()
    for _, parameter in named:
        assert parameter.tolist() == [[pytest.approx(0.95)] * 2] * 2
