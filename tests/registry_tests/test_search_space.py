"""Domains and spaces: names, sizes, enumeration, and mistakes found early."""

import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from registry.domains import Choice, Float, Int
from registry.errors import DeclarationError
from registry.space import SearchSpace, load_space, resolve_space
from registry.walk import Choosing, assignments, count, named_domains

EXAMPLE = """\
extends: gpt-nano
emb_dim: {choice: [64, 96, 128]}
n_layers: {int: {low: 2, high: 8}}
attention:
  choice:
    - {kind: multi_head}
    - {kind: grouped_query, n_kv_heads: {choice: [1, 2]}}
"""


@pytest.fixture
def example(tmp_path) -> SearchSpace:
    (tmp_path / "example.yaml").write_text(EXAMPLE)
    return load_space(tmp_path / "example.yaml")


def refusal(data) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        resolve_space({"extends": "gpt-nano"} | data)
    return [str(problem) for problem in caught.value.problems]


def broken(domain, **fields) -> str:
    with pytest.raises(ValidationError) as caught:
        domain(**fields)
    return " & ".join(line["msg"] for line in caught.value.errors())


def test_the_example_of_the_manual(example):
    assert example.name == "example"
    assert example.size == 3 * 7 * (1 + 2)
    assert example.domains() == {
        "emb_dim": Choice(options=(64, 96, 128)),
        "n_layers": Int(low=2, high=8),
        "attention": example.domains()["attention"],
        "attention[grouped_query].n_kv_heads": Choice(options=(1, 2)),
    }
    assert example.domains()["attention"].labels == ("multi_head", "grouped_query")


def test_a_point_and_the_way_back(example):
    wanted = {
        "emb_dim": 96,
        "n_layers": 3,
        "attention": "grouped_query",
        "attention[grouped_query].n_kv_heads": 2,
    }
    asked = []

    def suggest(name, domain):
        asked.append(name)
        return wanted[name]

    config, parameters = example.sample(suggest)
    assert sorted(asked) == sorted(wanted)
    assert parameters == wanted
    assert config["attention"] == {"kind": "grouped_query", "n_kv_heads": 2}
    assert example.resolve(parameters) == config
    variant = example.variant(parameters)
    assert (variant.config.emb_dim, variant.config.attention.n_kv_heads) == (96, 2)
    assert variant.name.startswith("example-")
    assert example.variant(parameters).name == variant.name
    assert example.variant(parameters, name="mine").name == "mine"


def test_only_domains_on_the_way_are_asked_for(example):
    asked = []
    example.sample(lambda name, domain: asked.append(name) or domain.ends()[0])
    assert "attention[grouped_query].n_kv_heads" not in asked


def test_an_infeasible_point_tells_rule_and_position(tmp_path):
    text = EXAMPLE.replace("choice: [1, 2]", "choice: [1, 3]")
    (tmp_path / "s.yaml").write_text(text)
    space = load_space(tmp_path / "s.yaml")
    chosen = {
        "emb_dim": 96,
        "n_layers": 3,
        "attention": "grouped_query",
        "attention[grouped_query].n_kv_heads": 3,
    }
    with pytest.raises(DeclarationError) as caught:
        space.variant(chosen)
    assert str(caught.value) == (
        f"{tmp_path}/s.yaml:7:54: attention.n_kv_heads: `n_heads` must be a multiple of `n_kv_heads`, "
        "got 4 and 3; try 2 or 4"
    )


def test_enumeration_has_a_stable_order_and_is_lazy(example):
    first = list(itertools.islice(example.enumerate(), 3))
    assert first == list(itertools.islice(example.enumerate(), 3))
    assert first[0] == {"emb_dim": 64, "n_layers": 2, "attention": "multi_head"} or first[0]["emb_dim"] == 64
    huge = resolve_space({"extends": "gpt-nano", "emb_dim": {"int": {"low": 1, "high": 2**31}}})
    assert huge.size == 2**31
    assert next(huge.enumerate()) == {"emb_dim": 1}


def test_endless_spaces_have_no_size_and_no_grid():
    space = resolve_space({"extends": "gpt-nano", "drop_rate": {"float": {"low": 0, "high": 0.5}}})
    assert space.size is None
    with pytest.raises(ValueError, match="finite space; give drop_rate a `step`"):
        space.enumerate()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "parameters: `emb_dim` has no value"),
        ({"emb_dim": 65}, "parameters: `emb_dim` must be one of 64, 128, got 65"),
        ({"emb_dim": 64, "emb_dmi": 1}, "parameters: no domain is called `emb_dmi`; did you mean `emb_dim`?"),
    ],
)
def test_wrong_parameters(parameters, message):
    space = resolve_space({"extends": "gpt-nano", "emb_dim": {"choice": [64, 128]}})
    with pytest.raises(DeclarationError) as caught:
        space.resolve(parameters)
    assert str(caught.value) == message


def test_a_parameter_of_an_option_that_is_not_taken(example):
    parameters = {
        "emb_dim": 64,
        "n_layers": 2,
        "attention": "multi_head",
        "attention[grouped_query].n_kv_heads": 1,
    }
    with pytest.raises(DeclarationError, match="is not asked for here"):
        example.resolve(parameters)


def test_a_suggestion_outside_of_the_domain_is_refused(example):
    with pytest.raises(ValueError, match="`emb_dim` must be one of 64, 96, 128, got 7"):
        example.sample(lambda name, domain: 7)


def test_domains_replace_and_are_replaced_as_values(tmp_path):
    (tmp_path / "base.yaml").write_text(EXAMPLE)
    (tmp_path / "child.yaml").write_text(
        "extends: base.yaml\nattention: {kind: multi_head}\nemb_dim: {choice: [64]}\n"
    )
    space = load_space(tmp_path / "child.yaml")
    assert set(space.domains()) == {"emb_dim", "n_layers"}
    assert space.size == 7
    (tmp_path / "back.yaml").write_text("extends: child.yaml\nattention: {choice: [{kind: multi_head}]}\n")
    assert "attention" in load_space(tmp_path / "back.yaml").domains()
    assert load_space("gpt-nano", ["n_layers={choice: [1, 2]}"]).size == 2


def test_domains_inside_of_layers_and_of_kinds():
    space = resolve_space(
        {
            "extends": "gpt-nano",
            "layers": [{"n_heads": {"choice": [2, 4]}}, {}],
            "norm": {"kind": {"choice": ["layer_norm", "rms_norm"]}},
        }
    )
    assert set(space.domains()) == {"layers[0].n_heads", "norm.kind"}
    configs = [space.variant(parameters).config for parameters in space.enumerate()]
    assert {(c.layer(0).n_heads, c.norm.kind) for c in configs} == set(
        itertools.product([2, 4], ["layer_norm", "rms_norm"])
    )


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ([1, "a", None, True], None),
        ([64, "a", None, 0.5], (64, "a", None, 0.5)),
        ([{"kind": "a", "x": 1}, {"kind": "b"}], ("a", "b")),
        (
            [{"kind": "a", "x": 1, "y": 0}, {"kind": "a", "x": 2, "y": 0}, {"kind": "b"}],
            ("a(x=1)", "a(x=2)", "b"),
        ),
        ([{"kind": "a"}, {"kind": "a", "x": "s"}], ("a", "a(x=s)")),
        (
            [{"kind": "a", "x": [1]}, {"kind": "a", "x": [2]}],
            ('{"kind":"a","x":[1]}', '{"kind":"a","x":[2]}'),
        ),
        (["a", {"kind": "a"}], ("a", '{"kind":"a"}')),
        ([[{"n_heads": 2}], []], ('[{"n_heads":2}]', "[]")),
        ([Int(low=1, high=2), 7], ('{"int":{"high":2,"low":1}}', 7)),
    ],
)
def test_labels(options, labels):
    if labels is None:
        assert "this equals option number 1" in broken(Choice, options=options)
    else:
        assert Choice(options=options).labels == labels


def test_rules_of_ranges():
    assert broken(Int, low=8, high=2) == "`low` must not be above `high`, got 8 and 2; swap them"
    assert broken(Int, low=2, high=9, step=4) == "steps of 4 from 2 do not meet `high` 9; the last one is 6"
    assert "the last one is 0.3" in broken(Float, low=0.0, high=0.35, step=0.1)
    assert broken(Int, low=0, high=8, log=True) == "a logarithmic range starts above 0, got `low` 0"
    assert "a logarithmic range has no `step`" in broken(Float, low=1.0, high=3.0, step=1.0, log=True)
    assert "a logarithmic range has no `step`" in broken(Int, low=1, high=3, step=2, log=True)
    assert "greater than" in broken(Int, low=1, high=3, step=0)
    assert "finite" in broken(Float, low=0.0, high=float("inf"))
    assert "valid integer" in broken(Int, low="1", high=3)
    assert "must be a number, got true" in broken(Int, low=True, high=3)
    assert "finite number" in broken(Choice, options=(float("nan"), 1))
    assert "did you mean `low`" in broken(Int, lo=1, high=3)


def test_values_in_canonical_form():
    tenths = Float(low=0.0, high=0.3, step=0.1)
    assert list(tenths.values()) == [0.0, 0.1, 0.2, 0.3]
    assert tenths.accept(0.1 + 0.2) == 0.3
    assert Int(low=1, high=9, step=4).accept(5.0) == 5
    assert isinstance(Int(low=1, high=9).accept(5.0), int)
    assert Float(low=1e-9, high=1e-9 * 3, log=True).accept(2e-9) == 2e-9
    for domain, value in [
        (tenths, 0.15),
        (tenths, 0.4),
        (tenths, float("nan")),
        (tenths, "0.1"),
        (tenths, True),
        (Int(low=1, high=9, step=4), 2),
        (Int(low=0, high=9), True),
        (Int(low=0, high=9), 2.5),
        (Int(low=0, high=9), float("inf")),
        (Int(low=0, high=9), "2"),
        (Choice(options=(1, 2)), [1]),
    ]:
        with pytest.raises(ValueError, match="must be"):
            domain.accept(value)


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (
            {},
            ["space: nothing to search: give at least one key a domain, such as `emb_dim: {choice"],
        ),
        ({"n_heads": {"choice": []}}, ["n_heads.choice: must be a list of at least one option"]),
        ({"n_heads": {"choice": 3}}, ["n_heads.choice: must be a list of at least one option"]),
        (
            {"n_heads": {"int": [1, 2]}},
            ["n_heads.int: must have `low` and `high`, such as {int: {low: 1, high: 4}}"],
        ),
        ({"n_heads": {"int": {"low": 1}}}, ["n_heads.int.high: this key is missing"]),
        (
            {"n_heads": {"choice": [1, 2, 1]}},
            ["n_heads.choice[2]: this equals option number 1, 1; keep one of them"],
        ),
        ({"n_heads": {"choice": [1, 2], "int": {}}}, ["the one key `choice`", "the one key `int`"]),
        ({"n_heads": {"int": {"low": 4, "high": 1}}}, ["n_heads.int.low: `low` must not be above `high`"]),
        (
            {"norm": {"choice": [{"kind": "rms_norm", "eps": {"float": {"low": 1}}}]}},
            ["norm.choice[0].eps.float.high: this key is missing"],
        ),
    ],
)
def test_wrong_domains(data, lines):
    told = refusal(data)
    assert len(told) == len(lines)
    assert all(line in said for line, said in zip(lines, told, strict=True))


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"emb_dmi": 3}, "emb_dmi: unknown key `emb_dmi`; did you mean `emb_dim`?"),
        ({"n_heads": {"int": {"low": -1, "high": 4}}}, "n_heads: Input should be greater than 0, got -1"),
        (
            {"activation": {"choice": ["gelu", "gellu"]}},
            "activation.choice[1]: no activation is called `gellu`",
        ),
        (
            {"norm": {"choice": [{"kind": "rms_norm"}, {"kind": "x"}]}},
            "norm.choice[1]: `norm` has no kind `x`",
        ),
        ({"norm": {"choice": [{"kind": "rms_norm", "esp": 1}]}}, "norm.choice[0].esp: unknown key `esp`"),
        (
            {"attention": {"choice": [{"kind": "grouped_query"}]}},
            "attention.choice[0].n_kv_heads: this key is missing",
        ),
        ({"layers": [{"vocab_size": 2}]}, "layers[0].vocab_size: `vocab_size` is the same for all layers"),
        ({"drop_rate": "x"}, "drop_rate: Input should be a valid number"),
    ],
)
def test_what_would_break_every_trial_is_told_at_once(data, line):
    told = refusal({"n_layers": {"choice": [1, 2]}} | data)
    assert len(told) == 1
    assert told[0].startswith(f"space: {line}")


def test_missing_keys_of_a_space_without_a_base():
    with pytest.raises(DeclarationError) as caught:
        resolve_space({"n_layers": {"choice": [1, 2]}})
    assert [problem.path for problem in caught.value.problems] == [
        "vocab_size",
        "context_length",
        "emb_dim",
        "n_heads",
    ]


def test_positions_of_wrong_domains_in_a_file(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text(
        "extends: gpt-nano\nemb_dim:\n  int:\n    low: 9\n    high: 3\nn_heads: {choice: [1, x]}\n"
    )
    with pytest.raises(DeclarationError, match=f"^{file}:4:5: emb_dim.int.low: `low` must not be above"):
        load_space(file)
    file.write_text("extends: gpt-nano\nn_heads: {choice: [1, x]}\n")
    with pytest.raises(
        DeclarationError, match=rf"^{file}:2:23: n_heads.choice\[1\]: Input should be a valid integer"
    ):
        load_space(file)


def test_a_space_whose_rules_only_some_points_break_is_fine():
    space = resolve_space(
        {"extends": "gpt-nano", "emb_dim": {"choice": [64, 66]}, "n_heads": {"choice": [3, 4]}}
    )
    feasible = []
    for parameters in space.enumerate():
        try:
            feasible.append(space.variant(parameters))
        except DeclarationError:
            continue
    assert len(feasible) == 2


PLAIN = st.none() | st.integers(-5, 5) | st.sampled_from("abc")
INTS = st.tuples(st.integers(-3, 3), st.integers(0, 2), st.integers(1, 3)).map(
    lambda ends: Int(low=ends[0], high=ends[0] + ends[1] * ends[2], step=ends[2])
)
FLOATS = st.tuples(st.integers(-3, 3), st.integers(0, 2)).map(
    lambda ends: Float(low=ends[0] / 10, high=ends[0] / 10 + ends[1] * 0.5, step=0.5)
)
RANGES = INTS | FLOATS


def _choices(options):
    return (
        st.lists(options, min_size=1, max_size=3)
        .map(lambda given: {"options": tuple(given)})
        .map(_choice_or_none)
    )


def _choice_or_none(fields):
    try:
        return Choice(**fields)
    except ValidationError:
        return None


TREES = st.recursive(
    PLAIN | RANGES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["kind", "x", "y"]), inner, max_size=2)
        | _choices(inner)
    ),
    max_leaves=8,
)


@settings(deadline=None)  # the machine may be busy
@given(TREES)
def test_enumeration_has_exactly_size_distinct_assignments_and_each_resolves(tree):
    size = count(tree)
    assume(size is not None and size <= 300)
    points = list(assignments(tree, "top"))
    assert len(points) == size
    assert len({tuple(sorted(point.items(), key=str)) for point in points}) == size
    names = [name for name, _ in named_domains(tree, "top")]
    assert len(names) == len(set(names))
    for point in points:
        choosing = Choosing(lambda name, _, point=point: point[name])
        choosing.value(tree, "top")
        assert choosing.parameters == point


@settings(deadline=None)  # the machine may be busy
@given(TREES, st.data())
def test_any_suggestion_leads_to_a_point_of_the_enumeration(tree, data):
    size = count(tree)
    assume(size is not None and size <= 300)
    choosing = Choosing(lambda name, domain: data.draw(st.sampled_from(list(domain.values()))))
    choosing.value(tree, "top")
    assert choosing.parameters in list(assignments(tree, "top"))
