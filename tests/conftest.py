"""What all tests share: executed shape annotations, one thread, the same random numbers on every run."""

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

# Before torch is imported: workers of pytest-xdist and subprocesses would fight over the cores.
os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import jaxtyping
import pytest

PACKAGE = Path(__file__).parents[1] / "gpt_zoo"
LAYERS = [path.parent.name for path in (PACKAGE / "layers").glob("*/__init__.py")]

# torch is named late, so that tests without it start at once.
CHECKER = """beartype.beartype(
    conf=beartype.BeartypeConf(
        is_pep484_tower=True,  # 0 is a float as well
        # A size is a tensor while a model is traced.
        hint_overrides=beartype.FrozenDict({int: int | __import__('torch').Tensor}),
    )
)"""

# What computes is checked, what declares is not: configs are checked by pydantic, and name torch's types and
# each other in annotations only, which a type checker at run time could not resolve.
jaxtyping.install_import_hook(
    [f"gpt_zoo.layers.{name}" for name in LAYERS] + ["gpt_zoo.model", "gpt_zoo.generation"],
    CHECKER,
)

# A failure that appears once must appear again; `--hypothesis-profile explore` looks for new ones.
hypothesis.settings.register_profile(
    "repeatable", deadline=None, max_examples=50, derandomize=True, print_blob=True
)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=300, print_blob=True)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _same_random_numbers() -> None:
    random.seed(0)
    if torch := sys.modules.get("torch"):  # tests that need no torch should not wait for it
        torch.manual_seed(0)


@pytest.fixture
def without_shape_checks() -> Iterator[None]:
    """As a user runs it: shape annotations are not executed, so that the model's own errors are seen."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
