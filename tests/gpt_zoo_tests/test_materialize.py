"""Models that are built without memory, and get it later."""

import pytest
import torch
from config_strategies import SHIPPED_KINDS, config_with
from torch import Tensor, nn

from gpt_zoo import GPTModel, load_checkpoint, save_checkpoint
from gpt_zoo.layers.norm import RMSNorm


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_a_model_without_memory_becomes_the_one_that_it_would_have_been(slot: str, kind: str) -> None:
    config = config_with(slot, kind)
    with torch.device("meta"):
        model = GPTModel(config)
    torch.manual_seed(3)
    model.materialize()
    torch.manual_seed(3)
    expected = GPTModel(config).state_dict()
    assert model.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("kind", ["learned", "sinusoidal", "rotary", "alibi"])
@pytest.mark.parametrize("norm", ["layer_norm", "rms_norm"])
def test_a_model_of_bfloat16_is_saved_loaded_and_run(tmp_path, kind: str, norm: str) -> None:
    model = GPTModel(config_with("position", kind, norm={"kind": norm})).bfloat16().eval()
    save_checkpoint(tmp_path, model)
    loaded = load_checkpoint(tmp_path)
    ids = torch.randint(0, 61, (2, 19))
    assert loaded(ids).dtype == torch.bfloat16
    assert torch.equal(loaded(ids), model(ids))


class Gain(nn.Module):
    """What a plug-in's author may write who does not know how models are built."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.gain = inner, nn.Parameter(torch.ones(24))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * self.inner(x)


def test_a_parameter_that_would_be_left_without_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_with("norm", "rms_norm")
    monkeypatch.setattr(type(config.norm), "build", lambda self, width: Gain(RMSNorm(self, width)))
    with pytest.raises(ValueError, match="Gain has gain and no `reset_parameters` to give it values"):
        GPTModel(config)
