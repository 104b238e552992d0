"""Commands that only read configs start at once: torch comes with the first model, not before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gpt_zoo

ROOT = Path(__file__).parents[2]


def modules_after(code: str) -> set[str]:
    """What a fresh interpreter has imported after `code`."""
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('\\n'.join(sys.modules))"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.split())


def test_declaring_and_costing_need_no_torch() -> None:
    modules = modules_after(
        "import gpt_zoo\n"
        "config = gpt_zoo.GPTConfig.model_validate(gpt_zoo.GPT_CONFIG_124M)\n"
        "assert gpt_zoo.model_cost(config).params == 162_419_712\n"
        "config.model_dump_json(), config.model_json_schema()\n"
        "try: gpt_zoo.GPTConfig(activation='gelo')\n"
        "except ValueError: pass"
    )
    assert "gpt_zoo.cost.model" in modules
    assert not {"torch", "numpy", "fvcore", "safetensors", "jaxtyping"} & modules


def test_the_model_brings_torch() -> None:
    assert "torch" in modules_after("import gpt_zoo; gpt_zoo.GPTModel")
    assert "torch" not in modules_after("import gpt_zoo")


@pytest.mark.parametrize("name", gpt_zoo.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(gpt_zoo, name) is not None
    scope: dict[str, object] = {}
    exec(f"from gpt_zoo import {name}", scope)
    assert scope[name] is getattr(gpt_zoo, name)


def test_no_public_name_is_forgotten() -> None:
    assert set(gpt_zoo.__all__) == set(gpt_zoo._PUBLIC)
    assert len(gpt_zoo.__all__) == len(set(gpt_zoo.__all__))


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'gpt_zoo' has no attribute 'GTPModel'"):
        gpt_zoo.GTPModel  # noqa: B018 - the look-up is what is tested
