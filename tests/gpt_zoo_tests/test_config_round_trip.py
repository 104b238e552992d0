import json
import pickle

import pytest
import yaml
from config_strategies import SHIPPED_KINDS, config_with, gpt_config_fields, gpt_configs
from hypothesis import given
from pydantic import ValidationError

from gpt_zoo import GPT_CONFIG_124M, GPTConfig


def validates(fields: dict) -> bool:
    try:
        GPTConfig.model_validate(fields)
    except ValueError:
        return False
    return True


def holds(dumped: object, declared: object) -> bool:
    """Whether what is dumped has all that was declared, deeply; the rest are defaults."""
    if not isinstance(declared, dict):
        return dumped == declared
    return isinstance(dumped, dict) and all(holds(dumped[key], value) for key, value in declared.items())


@given(gpt_configs())
def test_json_round_trip(config: GPTConfig) -> None:
    assert GPTConfig.model_validate_json(config.model_dump_json()) == config
    assert GPTConfig.model_validate(json.loads(json.dumps(config.model_dump(mode="json")))) == config


@given(gpt_configs())
def test_yaml_round_trip(config: GPTConfig) -> None:
    assert GPTConfig.model_validate(yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json")))) == config


@given(gpt_config_fields().filter(validates))
def test_what_was_declared_is_what_is_dumped(fields: dict) -> None:
    dumped = GPTConfig.model_validate(fields).model_dump(mode="json")
    assert {key: dumped[key] for key in ("vocab_size", "emb_dim", "n_heads", "drop_rate", "activation")} == {
        key: fields[key] for key in ("vocab_size", "emb_dim", "n_heads", "drop_rate", "activation")
    }
    assert dumped["layers"] == fields["layers"]
    assert dumped["single_layers"] == fields["single_layers"]
    for slot in ("attention", "position", "norm", "feed_forward", "block", "embedding", "head"):
        assert holds(dumped[slot], fields[slot])


@given(gpt_configs())
def test_looking_at_the_layers_changes_neither_equality_nor_the_pickle(config: GPTConfig) -> None:
    untouched, other = (GPTConfig.model_validate(config.model_dump()) for _ in range(2))
    assert config.layer(0) == other.layer(0)
    assert config == untouched
    assert config == other
    assert pickle.loads(pickle.dumps(config)) == untouched  # spawned workers are sent configs


@pytest.mark.parametrize(("slot", "kind"), SHIPPED_KINDS)
def test_every_kind_says_where_it_comes_from_and_reads_back_as_itself(slot: str, kind: str) -> None:
    component = getattr(config_with(slot, kind), slot)
    assert component.kind == kind
    assert any(character.isdigit() for character in component.source), "a source has a year"
    assert type(component).model_validate(component.model_dump()) == component


def test_the_known_dict_is_plain_and_published() -> None:
    # The fields and values as they are passed around; a context of 256 instead of 1024.
    assert GPT_CONFIG_124M == {
        "vocab_size": 50257,
        "context_length": 256,
        "emb_dim": 768,
        "n_heads": 12,
        "n_layers": 12,
        "drop_rate": 0.1,
        "qkv_bias": False,
    }
    assert type(GPT_CONFIG_124M) is dict
    assert list(GPT_CONFIG_124M) == list(GPTConfig.model_fields)[:7]


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_numbers_that_json_cannot_hold_are_refused(number: float) -> None:
    # They would be written to a checkpoint as null, and be unreadable.
    for slot, component in (
        ("norm", {"kind": "rms_norm", "eps": number}),
        ("position", {"kind": "rotary", "base": number}),
    ):
        with pytest.raises(ValidationError, match="finite number"):
            config_with("norm", "layer_norm", **{slot: component})
    with pytest.raises(ValidationError, match="drop_rate"):
        config_with("norm", "layer_norm", drop_rate=number)


def test_the_json_schema_names_every_kind() -> None:
    schema = json.dumps(GPTConfig.model_json_schema())
    for _, kind in SHIPPED_KINDS:
        assert f'"const": "{kind}"' in schema
