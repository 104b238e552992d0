"""Token ids that a model cannot read, and what a user is told: shape annotations are not executed then."""

import pytest
import torch
from torch import Tensor

from gpt_zoo import GPTModel, generate

pytestmark = pytest.mark.usefixtures("without_shape_checks")


@pytest.fixture
def model() -> GPTModel:
    return GPTModel({"vocab_size": 61, "context_length": 5, "emb_dim": 12, "n_heads": 2, "n_layers": 1})


WRONG = [
    (torch.zeros(1, 3), r"must be integers of 64 or 32 bits, got torch.float32; try ids.long\(\)"),
    (torch.zeros(1, 3, dtype=torch.bool), "must be integers of 64 or 32 bits, got torch.bool"),
    (torch.zeros(1, 3, dtype=torch.complex64), "must be integers of 64 or 32 bits, got torch.complex64"),
    # As token files hold them: torch looks up neither.
    (torch.zeros(1, 3, dtype=torch.uint16), "got torch.uint16; try ids.long()"),
    (torch.zeros(1, 3, dtype=torch.uint8), "got torch.uint8; try ids.long()"),
    (torch.zeros(3, dtype=torch.long), r"must have the shape \(batch, time\), got \(3,\); try ids\[None\]"),
    (torch.zeros(1, 2, 3, dtype=torch.long), r"must have the shape \(batch, time\), got \(1, 2, 3\)"),
    (torch.tensor(3), r"must have the shape \(batch, time\), got \(\)"),
    (torch.zeros(1, 0, dtype=torch.long), r"must not be empty, got the shape \(1, 0\)"),
    (torch.zeros(0, 3, dtype=torch.long), r"must not be empty, got the shape \(0, 3\)"),
    (torch.tensor([[3, -1]]), "must lie in 0 to 60, got -1"),
    (torch.tensor([[60, 61]]), "must lie in 0 to 60, got 61; the tokenizer and the model's vocab_size of 61"),
]


@pytest.mark.parametrize(("ids", "message"), WRONG)
def test_wrong_ids_are_refused_with_the_rule_and_the_values(
    model: GPTModel, ids: Tensor, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        model(ids)


def test_a_sequence_beyond_the_context(model: GPTModel) -> None:
    with pytest.raises(ValueError, match=r"got 6 tokens for a context_length of 5; try ids\[:, -5:\]"):
        model(torch.zeros(1, 6, dtype=torch.long))


@pytest.mark.parametrize(("ids", "message"), [case for case in WRONG if case[0].ndim == 2])
def test_generation_refuses_the_same(model: GPTModel, ids: Tensor, message: str) -> None:
    model.train()
    with pytest.raises(ValueError, match=message):
        generate(model, ids, 1)
    assert model.training, "the model is left as it was"


def test_the_first_and_the_last_token_are_read(model: GPTModel) -> None:
    ids = torch.tensor([[0, 60, 0, 60, 0]])
    assert model(ids).shape == (1, 5, 61)
    assert torch.equal(model(ids.int()), model(ids))
