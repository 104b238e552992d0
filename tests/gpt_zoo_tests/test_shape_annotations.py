"""The annotations of shapes are executed in this suite: a wrong shape must be an error."""

import jaxtyping
import pytest
import torch

from gpt_zoo import GPTConfig, GPTModel
from gpt_zoo.layers.attention.attend import attend_fused
from gpt_zoo.layers.norm import LayerNorm

CONFIG = GPTConfig(vocab_size=7, context_length=5, emb_dim=6, n_heads=2, n_layers=1)


def test_ids_of_one_dimension_break_the_annotation() -> None:
    with pytest.raises(jaxtyping.TypeCheckError, match="ids"):
        GPTModel(CONFIG)(torch.zeros(3, dtype=torch.long))


def test_key_and_value_of_different_lengths_break_the_annotation() -> None:
    query = torch.zeros(1, 2, 5, 3)
    with pytest.raises(jaxtyping.TypeCheckError, match="value"):
        attend_fused(query, query, torch.zeros(1, 2, 4, 3))


def test_integers_where_numbers_are_expected_break_the_annotation() -> None:
    norm = CONFIG.norm.build(4)
    assert isinstance(norm, LayerNorm)
    with pytest.raises(jaxtyping.TypeCheckError, match="x"):
        norm(torch.zeros(2, 4, dtype=torch.long))


def test_checks_can_be_switched_off_to_see_what_a_user_sees(without_shape_checks: None) -> None:
    with pytest.raises(ValueError, match="must have the shape"):
        GPTModel(CONFIG)(torch.zeros(3, dtype=torch.long))
