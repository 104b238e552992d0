"""The drawn configs reach everything that can be declared: whoever adds a field is told to draw it here."""

from config_strategies import FIELDS, KINDS, gpt_config_fields, gpt_configs, layer_overrides
from hypothesis import given
from hypothesis import strategies as st

from gpt_zoo import GPTConfig
from gpt_zoo.config.layer_plan import LAYER_KEYS


def test_every_field_of_every_kind_is_drawn() -> None:
    declared = {
        name for kinds in KINDS.values() for config in kinds.values() for name in config.model_fields
    } - {"kind"}
    assert declared == FIELDS.keys()


@given(gpt_config_fields())
def test_every_field_of_the_model_is_drawn(fields: dict[str, object]) -> None:
    assert fields.keys() == GPTConfig.model_fields.keys()


@given(st.data())
def test_only_what_a_layer_may_override_is_drawn_for_it(data: st.DataObject) -> None:
    assert data.draw(layer_overrides(12, 2, {"kind": "rotary"})).keys() <= set(LAYER_KEYS)


@given(gpt_configs())
def test_drawn_configs_are_valid(config: GPTConfig) -> None:
    assert sum(count for _, count in config.distinct_layers) == config.n_layers
