"""Training processes know the plug-ins of the process that started them."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from worker_jobs import TINY

import experiments
import registry
from experiments.record import Status
from gpt_zoo import GPTConfig, model_cost
from registry import plugins

STEEP = '''
from typing import ClassVar, Literal
import torch
from torch import nn
from gpt_zoo.config.norm.base import NormConfig
from registry import register_kind

class SteepConfig(NormConfig):
    """Bounds each number."""
    kind: Literal["steep"] = "steep"
    module: ClassVar[str] = "steep_norm:Steep"
    source: ClassVar[str] = "a test"

    def params(self, width: int) -> int:
        return 1

class Steep(nn.Module):
    def __init__(self, config: SteepConfig, width: int) -> None:
        super().__init__()
        self.steepness = nn.Parameter(torch.empty(1))

    def reset_parameters(self) -> None:
        nn.init.ones_(self.steepness)

    def forward(self, x):
        return (self.steepness * x).tanh()

register_kind("norm", SteepConfig)
'''


class Undone(Exception):
    """Ends a test, so that what it has registered is taken back."""


@pytest.fixture
def steep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plug-in which lies neither in the current folder nor where anything is installed."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "steep_norm.py").write_text(STEEP)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "plugins")])
    monkeypatch.setattr(plugins, "_named", {})
    with suppress(Undone), plugins.all_or_nothing():
        registry.load_plugins(["steep_norm"])
        yield
        raise Undone
    del sys.modules["steep_norm"]


def test_a_kind_of_a_plugin_is_trained(steep: None, text: Path, tmp_path: Path) -> None:
    run = experiments.run_comparison(
        {
            "variants": [{"name": "tiny", **TINY, "norm": {"kind": "steep"}}],
            "data": {"corpus": {"kind": "text", "paths": [str(text)]}, "validation_bytes": 1500},
            "training": {"threads": 1, "batch_size": 4, "evaluations": 1},
            "budget": {"steps": 3},
        },
        tmp_path / "run",
    )
    (record,) = run.load_records()
    assert (record.status, record.reason, record.steps) == (Status.COMPLETE, "", 3)
    classic = model_cost(GPTConfig.model_validate(TINY)).params
    assert record.params == classic - 3 * 2 * TINY["emb_dim"] + 3  # one number for each of three layer norms
