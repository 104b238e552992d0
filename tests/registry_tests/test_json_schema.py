"""The shipped JSON Schemas: current, right about what is shipped, and strict."""

import json

import pytest
from jsonschema import Draft202012Validator

from registry.catalog import find_variant_file, list_variants
from registry.schema import SCHEMA_FOLDER, space_schema, variant_schema, write_schemas
from registry.space import resolve_space
from registry.yaml_source import load_document

VARIANT = Draft202012Validator(variant_schema())
SPACE = Draft202012Validator(space_schema())


def test_the_shipped_schemas_are_current(tmp_path):
    write_schemas(tmp_path)
    for name in ("variant", "space"):
        shipped = (SCHEMA_FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")
        assert shipped == (tmp_path / f"{name}.schema.json").read_text(encoding="utf-8"), (
            "python -m registry.schema"
        )
        Draft202012Validator.check_schema(json.loads(shipped))


@pytest.mark.parametrize("name", list_variants())
def test_every_shipped_variant_is_valid(name):
    data = load_document(find_variant_file(name)).data
    VARIANT.validate(data)
    SPACE.validate(data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"emb_dmi": 64},
        {"emb_dim": 0},
        {"emb_dim": "wide"},
        {"activation": "gellu"},
        {"attention": "multi_head"},
        {"attention": {"kind": "multi_headd"}},
        {"attention": {"kind": "multi_head", "n_kv_heads": 2}},
        {"attention": {"n_kv_head": 2}},
        {"layers": [{"emb_dim": 2}]},
        {"layers": [{"attention": {"kind": "x"}}]},
        {"name": "Not A Name"},
        {"extends": 3},
    ],
)
def test_mistakes_are_marked(wrong):
    assert not VARIANT.is_valid({"extends": "gpt-nano"} | wrong)
    assert not SPACE.is_valid({"extends": "gpt-nano"} | wrong)


def test_what_a_file_without_a_base_must_have():
    whole = {"vocab_size": 256, "context_length": 8, "emb_dim": 8, "n_heads": 2, "n_layers": 1}
    assert VARIANT.is_valid(whole)
    assert not VARIANT.is_valid({"vocab_size": 256})


SEARCHED = [
    {"emb_dim": {"choice": [64, 128]}},
    {"emb_dim": {"choice": [{"int": {"low": 64, "high": 80}}, 128]}},
    {"n_layers": {"int": {"low": 2, "high": 8, "step": 2}}},
    {"drop_rate": {"float": {"low": 0.001, "high": 0.3, "log": True}}},
    {
        "attention": {
            "choice": [{"kind": "multi_head"}, {"kind": "grouped_query", "n_kv_heads": {"choice": [1, 2]}}]
        }
    },
    {"norm": {"eps": {"float": {"low": 1e-6, "high": 1e-3, "log": True}}}},
    {"norm": {"kind": {"choice": ["layer_norm", "rms_norm"]}}},
    {"feed_forward": {"hidden_dim": {"choice": [None, 128]}}},
    {"layers": [{"n_heads": {"choice": [1, 2]}}, {}]},
    {"layers": {"choice": [[], [{"n_heads": 2}, {}]]}},
    {"activation": {"choice": ["gelu", "relu"]}},
]


@pytest.mark.parametrize("searched", SEARCHED)
def test_domains_are_known_to_the_schema_of_spaces_only(searched):
    data = {"extends": "gpt-nano"} | searched
    resolve_space(data)
    SPACE.validate(data)
    assert not VARIANT.is_valid(data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"emb_dim": {"choice": []}},
        {"emb_dim": {"choice": [64, "x"]}},
        {"emb_dim": {"float": {"low": 0, "high": 1}}},
        {"emb_dim": {"int": {"low": 0}}},
        {"emb_dim": {"int": {"low": 1, "high": 2, "stepp": 3}}},
        {"emb_dim": {"choice": [1], "int": {"low": 1, "high": 2}}},
        {"activation": {"choice": ["gellu"]}},
        {"attention": {"choice": [{"kind": "grouped_query", "n_kv_heds": 2}]}},
    ],
)
def test_wrong_domains_are_marked(wrong):
    assert not SPACE.is_valid({"extends": "gpt-nano"} | wrong)


def test_an_editor_finds_titles_and_descriptions():
    schema = variant_schema()
    assert all(
        "description" in field for key, field in schema["properties"].items() if key in ("emb_dim", "extends")
    )
    kinds = schema["$defs"]["attention"]["oneOf"]
    assert {"multi_head", "grouped_query"} <= {kind["title"] for kind in kinds}
    assert all(kind["description"] for kind in kinds[:-1])
