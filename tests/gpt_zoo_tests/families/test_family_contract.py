"""What holds for every family: the same logits in both directions, and nothing that gets lost."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
import transformers
from hub_cases import CASES
from hub_models import CONTEXT, HubCase, build_hub_model, loaded, saved, some_ids
from safetensors.torch import load_file, save_file

from gpt_zoo import GPTConfig, GPTModel, generate
from gpt_zoo.config.merge import deep_merge
from gpt_zoo.families import (
    build_hub_config,
    list_families,
    load_hub_model,
    read_hub_config,
    save_hub_model,
)
from gpt_zoo.families.engine.catalog import find_family
from gpt_zoo.families.engine.config_rules import REQUIRED
from gpt_zoo.families.engine.meaning import Meaning, find_difference
from gpt_zoo.families.engine.paths import nest
from gpt_zoo.families.engine.shared_rules import ALWAYS_CHECKED, NOT_COMPUTED

TOLERANCE = {torch.float64: 1e-5, torch.float32: 1e-4}
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
one_of_each = pytest.mark.parametrize(
    "case", {case.family: case for case in reversed(CASES)}.values(), ids=lambda case: case.family
)


def json_of(case: HubCase, folder: Path) -> dict:
    case.hub_config().save_pretrained(folder)
    return json.loads((folder / "config.json").read_text())


def test_every_family_has_a_case() -> None:
    assert {case.family for case in CASES} == set(list_families())


@every_case
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_logits_are_the_same_in_both_directions(tmp_path: Path, case: HubCase, dtype: torch.dtype) -> None:
    theirs = build_hub_model(case, dtype)
    ours = load_hub_model(saved(theirs, tmp_path / "theirs"), dtype)
    ids = some_ids()
    with torch.no_grad():
        expected = theirs(ids).logits
        torch.testing.assert_close(ours(ids), expected, rtol=0, atol=TOLERANCE[dtype])
        save_hub_model(ours, tmp_path / "ours", case.family)
        again = loaded(tmp_path / "ours", dtype, case.attention)
        torch.testing.assert_close(again(ids).logits, expected, rtol=0, atol=TOLERANCE[dtype])


@every_case
def test_cached_generation_is_the_same_token_for_token(tmp_path: Path, case: HubCase) -> None:
    theirs = build_hub_model(case)
    ours = load_hub_model(saved(theirs, tmp_path), torch.float64)
    ids = some_ids(batch=2, time=5)
    expected = theirs.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=CONTEXT - 5,
        min_new_tokens=CONTEXT - 5,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    assert torch.equal(generate(ours, ids, CONTEXT - 5, temperature=0), expected)


@every_case
def test_a_config_comes_back_as_it_was(tmp_path: Path, case: HubCase) -> None:
    config = read_hub_config(json_of(case, tmp_path))
    again = read_hub_config(build_hub_config(config, case.family))
    assert find_difference(Meaning(config), Meaning(again)) is None
    assert config.drop_rate == again.drop_rate


@every_case
def test_each_tensor_comes_back_as_it_was(tmp_path: Path, case: HubCase) -> None:
    """Through our names and back, bit for bit."""
    theirs = build_hub_model(case, torch.float32)
    save_hub_model(load_hub_model(saved(theirs, tmp_path / "theirs")), tmp_path / "ours", case.family)
    before, after = theirs.state_dict(), loaded(tmp_path / "ours", torch.float32).state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@every_case
def test_an_unknown_field_is_an_error(tmp_path: Path, case: HubCase) -> None:
    fields = json_of(case, tmp_path)
    with pytest.raises(ValueError, match="`warp_factor` is 9, and not known here"):
        read_hub_config({**fields, "warp_factor": 9})


@pytest.mark.parametrize(
    ("case", "name"),
    [pytest.param(case, name, id=f"{case.id}-{name}") for case in CASES for name in case.breaks],
)
def test_an_unsupported_value_is_an_error_that_names_the_field(
    tmp_path: Path, case: HubCase, name: str
) -> None:
    fields = json_of(case, tmp_path)
    with pytest.raises(ValueError, match=name) as error:
        read_hub_config({**fields, name: case.breaks[name]})
    assert "Traceback" not in str(error.value)


@pytest.mark.parametrize(
    ("case", "path"),
    [pytest.param(case, path, id=f"{case.id}-{path}") for case in CASES for path in case.beyond],
)
def test_what_a_family_cannot_express_is_an_error_that_names_our_field(
    tmp_path: Path, case: HubCase, path: str
) -> None:
    data = read_hub_config(json_of(case, tmp_path)).model_dump()
    config = GPTConfig.model_validate(deep_merge(data, nest({path: case.beyond[path]})))
    with pytest.raises(ValueError, match=f"{case.family} cannot express `{path}`"):
        build_hub_config(config, case.family)
    with pytest.raises(ValueError, match=f"{case.family} cannot express `{path}`"):
        save_hub_model(GPTModel(config), tmp_path / "out", case.family)
    assert not (tmp_path / "out").exists()


@one_of_each
def test_defaults_are_those_of_transformers(case: HubCase) -> None:
    """A field that a config.json leaves out means what `transformers` takes it for."""
    ours = {
        name: default for rule in find_family(case.family).config for name, default in rule.fields().items()
    }
    theirs = {
        field.name: field.default
        for field in dataclasses.fields(getattr(transformers, case.config))
        if field.default is not dataclasses.MISSING
    }
    both = {name for name in ours.keys() & theirs.keys() if ours[name] is not REQUIRED}
    assert {name: ours[name] for name in both} == {name: theirs[name] for name in both}


@one_of_each
def test_every_field_of_transformers_is_known(case: HubCase) -> None:
    family = find_family(case.family)
    rows = {name for rule in (*ALWAYS_CHECKED, *family.config) for name in rule.fields()}
    common = {field.name for field in dataclasses.fields(transformers.PretrainedConfig)}
    own = {field.name for field in dataclasses.fields(getattr(transformers, case.config))} - common
    assert own <= rows | family.ignored | NOT_COMPUTED
    assert not rows & (family.ignored | NOT_COMPUTED), "a field is read or ignored, not both"


@one_of_each
def test_a_folder_of_the_bare_model_with_the_buffers_of_old(tmp_path: Path, case: HubCase) -> None:
    """Without the prefix, and with tensors that earlier versions stored besides the weights."""
    family, theirs = find_family(case.family), build_hub_model(case, torch.float32)
    expected = load_hub_model(saved(theirs, tmp_path))(some_ids())
    tensors = load_file(tmp_path / "model.safetensors")
    tensors |= {name.replace("*", "0"): torch.ones(1) for name in family.ignored_tensors}
    bare = {name.removeprefix(family.prefix): tensor for name, tensor in tensors.items()}
    save_file(bare, tmp_path / "model.safetensors")
    assert torch.equal(load_hub_model(tmp_path)(some_ids()), expected)
