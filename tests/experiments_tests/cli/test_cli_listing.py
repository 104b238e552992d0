"""What can be named: variants by pattern, kinds with their parameters."""

import json

import pytest

from gpt_zoo.config.slot import KINDS
from gpt_zoo.layers.activations import ACTIVATIONS
from gpt_zoo.layers.initializations import INITIALIZATIONS
from registry import list_variants


def first_column(shown: str) -> list[str]:
    return [line.split()[0] for line in shown.splitlines() if line and not line.startswith(" ")]


def test_a_pattern_lists_what_fits_it(gpt_zoo):
    fitting = [name for name in list_variants() if name.startswith("gpt2")]
    assert first_column(gpt_zoo("list", "gpt2*").stdout) == ["variant", *fitting]
    nanos = [name for name in list_variants() if "nano" in name]
    assert first_column(gpt_zoo("list", "nano").stdout) == ["variant", *nanos]
    assert first_column(gpt_zoo("list", "dem?").stdout) == ["experiment", "demo"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gtp2*"], "no variant matches `gtp2*`; did you mean `gpt2`?"),
        (["zzzz"], "no variant matches `zzzz`; `gpt-zoo list` shows all"),
        (["--kinds", "rotery"], "no slot or kind matches `rotery`; did you mean `rotary`?"),
    ],
)
def test_a_pattern_that_fits_nothing_is_an_error(gpt_zoo, arguments, told):
    answer = gpt_zoo("list", *arguments)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert told in answer.stderr


def test_the_list_as_json_has_exact_sizes(gpt_zoo):
    listed = json.loads(gpt_zoo("list", "gpt2*", "--format", "json").stdout)
    sizes = {row["name"]: row["params"] for row in listed["variants"]}
    assert (sizes["gpt2"], sizes["gpt2-xl"]) == (124_439_808, 1_557_611_200)
    assert all(row["description"] and row["source"] for row in listed["variants"])
    assert listed["experiments"] == []


def test_kinds_names_all_that_is_registered(gpt_zoo):
    listed = json.loads(gpt_zoo("list", "--kinds", "--format", "json").stdout)
    named = {(row["slot"], row["name"]) for row in listed}
    assert named == {
        *((slot, kind) for slot, kinds in KINDS.items() for kind in kinds),
        *(("activation", name) for name in ACTIVATIONS),
        *(("initialization", name) for name in INITIALIZATIONS),
    }
    assert all(row["source"] and not row["plugin"] for row in listed)
    (grouped,) = (row for row in listed if row["name"] == "grouped_query")
    parameters = {parameter["name"]: parameter for parameter in grouped["parameters"]}
    assert parameters["n_kv_heads"]["required"]
    assert (parameters["out_bias"]["required"], parameters["out_bias"]["default"]) == (False, True)
    assert "must divide `n_heads`" in parameters["n_kv_heads"]["description"]


def test_kinds_are_listed_by_slot_or_by_name(gpt_zoo):
    norms = gpt_zoo("list", "--kinds", "norm").stdout
    assert "rms_norm" in norms
    assert "eps=1e-05" in norms
    assert "arXiv:1910.07467" in norms
    assert "grouped_query" not in norms
    rotary = gpt_zoo("list", "--kinds", "rotary").stdout
    assert "base=10000.0" in rotary
    assert set(first_column(rotary)) <= {"slot", "position", "rotary_scaling"}
