"""What is shipped under a name, and the small doors of the package."""

import csv
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import registry
from gpt_zoo import GPTModel
from gpt_zoo.config import GPT_CONFIG_124M, GPTConfig
from gpt_zoo.cost import model_cost
from registry.catalog import VARIANT_NAME, find_variant_file
from registry.errors import DeclarationError, Problem
from registry.variant import load_variant, resolve_variant
from registry.yaml_dump import dump_document
from registry.yaml_source import load_document

NAMES = registry.list_variants()

with (Path(__file__).parent / "published_params.csv").open(newline="", encoding="utf-8") as file:
    _, *TABLE = csv.reader(file)  # name, parameters, where they are published
PUBLISHED = {name: int(params) for name, params, _ in TABLE}


def test_the_catalog_has_the_known_names():
    shipped = {
        "gpt2-124m",
        "gpt2",
        "gpt2-medium",
        "gpt2-large",
        "gpt2-xl",
        "modern-small",
        "gpt-nano",
        "gpt-micro",
    }
    assert shipped | {"modern-nano"} <= set(NAMES)
    assert sorted(NAMES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_variant_is_valid_and_says_what_it_is(name):
    variant = load_variant(name)
    assert variant.name == name
    assert VARIANT_NAME.fullmatch(name)
    assert variant.description
    assert variant.source
    assert model_cost(variant.config).params > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_config_survives_a_round_trip_through_yaml(name):
    config = load_variant(name).config
    data = load_document(dump_document(config.model_dump(mode="json"))).data
    assert resolve_variant(data).config == config


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes_to_the_last_parameter(name):
    config = load_variant(name).config
    assert model_cost(config).params == PUBLISHED[name]
    with torch.device("meta"):
        model = GPTModel(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == PUBLISHED[name]


def test_every_published_variant_is_held_to_its_size():
    ours = {"gpt-nano", "gpt-micro", "modern-nano", "modern-small", "gpt2-124m"}
    assert PUBLISHED.keys() == set(NAMES) - ours
    assert len(PUBLISHED) >= 80
    assert all(source for _, _, source in TABLE)


@pytest.mark.parametrize(
    ("name", "billions", "counts_table"),
    [
        # OpenAI 2025, gpt-oss model card, arXiv:2508.10925, table 1, which counts the head and not the table.
        ("gpt-oss-20b", 3.61, False),
        ("gpt-oss-120b", 5.13, False),
        (
            "mixtral-8x7b",
            12.9,
            True,
        ),  # Jiang et al. 2024, arXiv:2401.04088, section 2.2: 13B, on its page 12.9B
        ("mixtral-8x22b", 39.2, True),  # its announcement: 39B active of 141B
        ("deepseek-v2-lite", 2.45, False),  # its card: 2.4B activated of 16B
        ("olmoe-1b-7b", 1.28, True),  # Muennighoff et al. 2024, arXiv:2409.02060: 1.3B active of 6.9B
    ],
)
def test_published_active_parameters(name, billions, counts_table):
    config = load_variant(name).config
    active = model_cost(config).params_active
    if not counts_table:
        active -= config.embedding.table_params(config)
    assert active / 1e9 == pytest.approx(billions, rel=0.003)


@pytest.mark.parametrize(("name", "params"), [("gpt2-124m", 162_419_712), ("modern-small", 114_114_048)])
def test_sizes_of_variants_that_nobody_published(name, params):
    assert model_cost(load_variant(name).config).params == params


def test_the_textbook_variant_is_the_textbook_dict():
    assert load_variant("gpt2-124m").config == GPTConfig(**GPT_CONFIG_124M)


def test_the_nano_variants_are_of_one_size():
    classic, modern = (model_cost(load_variant(name).config).params for name in ("gpt-nano", "modern-nano"))
    assert abs(classic - modern) < 0.15 * classic


def test_an_unknown_name_is_answered_with_the_nearest_ones():
    with pytest.raises(DeclarationError) as error:
        load_variant("llama-2-8b")
    assert str(error.value).startswith(
        "no variant is called `llama-2-8b`; did you mean `llama-3-8b`? (or `llama-2-7b`, "
    )
    assert str(error.value).endswith(f" `gpt-zoo list` names all {len(NAMES)}")
    with pytest.raises(DeclarationError, match="no variant is called `zzz`; none is alike; `gpt-zoo list`"):
        find_variant_file("zzz")


def test_a_folder_of_a_plugin_joins_the_catalog(tmp_path, monkeypatch):
    monkeypatch.setattr("registry.catalog._folders", list(registry.catalog._folders))
    (tmp_path / "my-gpt.yaml").write_text("extends: gpt-nano\n")
    registry.register_variants(tmp_path)
    registry.register_variants(tmp_path)
    assert "my-gpt" in registry.list_variants()
    assert load_variant("my-gpt").config == load_variant("gpt-nano").config
    (tmp_path / "later.yaml").write_text("extends: my-gpt\nn_layers: 1\n")
    assert load_variant("later").config.n_layers == 1
    assert "later" in registry.list_variants()
    other = tmp_path / "other"
    with pytest.raises(ValueError, match="which is none"):
        registry.register_variants(other)
    other.mkdir()
    (other / "gpt2.yaml").write_text("extends: gpt-nano\n")
    with pytest.raises(ValueError, match="already has gpt2; rename"):
        registry.register_variants(other)


@pytest.mark.parametrize("given", ["name", "file", "variant", "config", "mapping"])
def test_models_are_built_from_whatever_declares_them(given):
    variant = load_variant("gpt-micro")
    source = {
        "name": "gpt-micro",
        "file": variant.origin,
        "variant": variant,
        "config": variant.config,
        "mapping": {"extends": "gpt-micro"},
    }[given]
    model = registry.build_model(source, n_layers=1, attention={"kind": "grouped_query", "n_kv_heads": 1})
    expected = load_variant(
        "gpt-micro", ["n_layers=1", "attention={kind: grouped_query, n_kv_heads: 1}"]
    ).config
    assert sum(parameter.numel() for parameter in model.parameters()) == model_cost(expected).params


def test_overrides_of_a_built_config_reach_into_its_layers():
    config = load_variant("gpt-micro", ["layers=[{n_heads: 1}, {}]"]).config
    model = registry.build_model(config, **{"layers[1].n_heads": 4})
    assert model.config.layers == ({"n_heads": 1}, {"n_heads": 4})


def test_a_model_of_a_plain_config_dict_has_rules_too():
    with pytest.raises(DeclarationError, match="emb_dim"):
        registry.build_model(GPT_CONFIG_124M, emb_dim=-1)


def test_the_package_offers_what_it_lists():
    assert all(hasattr(registry, name) for name in registry.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        registry.nothing  # noqa: B018


def test_loading_and_listing_need_no_torch():
    code = (
        "import sys, registry; registry.load_variant('gpt2'); registry.load_space; import registry.schema;"
        "print([m for m in ('torch', 'pandas', 'optuna', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_errors_survive_pickling_and_print_one_problem_a_line():
    error = DeclarationError([Problem("f.yaml:1:2", "a.b", "is wrong"), Problem("f.yaml", "", "too")])
    assert str(error) == "f.yaml:1:2: a.b: is wrong\nf.yaml: too"
    assert pickle.loads(pickle.dumps(error)).problems == error.problems
