"""Every variant of the catalog takes the FLOPs that three counts agree on, in each of its modules."""

import pytest

import registry
from gpt_zoo.cost import model_cost
from gpt_zoo.measure.reconcile import reconcile

TIME = 61
"""Tokens: enough for every product to have its own size, few enough for a window to be all that is seen."""


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize("name", registry.list_variants())
def test_closed_form_fvcore_and_torch_agree(name: str) -> None:
    config = registry.load_variant(name).config
    found = reconcile(config, TIME)
    assert [module for module in found.modules if not module.agree] == []
    cost = model_cost(config, TIME)
    assert (found.whole.forward.fvcore, found.whole.forward.torch) == (cost.flops_forward,) * 2
    assert found.whole.backward.torch == cost.flops_train_step - cost.flops_forward
    assert sum(module.place.count for module in found.modules if module.place.depth == 1) > config.n_layers
