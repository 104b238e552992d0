"""`extends`, overrides, and the positions that survive them."""

import pytest

from registry.catalog import list_variants
from registry.document import marks_within
from registry.errors import DeclarationError
from registry.kinds import shortest
from registry.variant import load_variant, resolve_variant
from registry.yaml_source import load_document

BASE = """\
vocab_size: 256
context_length: 32
emb_dim: 64
n_heads: 4
n_layers: 2
attention: {kind: grouped_query, n_kv_heads: 2}
description: the base
source: a paper
"""


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    write("base.yaml", BASE)
    return write


def refusal(reference, overrides=()) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        load_variant(reference, overrides)
    return [str(problem) for problem in caught.value.problems]


def test_values_override_deeply_and_headers_are_not_inherited(write):
    variant = load_variant(
        write("child.yaml", "extends: ./base.yaml\nattention: {out_bias: false}\nn_layers: 3\n")
    )
    assert variant.name == "child"
    assert (variant.description, variant.source) == ("", "")
    assert variant.origin.name == "child.yaml"
    assert variant.config.n_layers == 3
    assert shortest(variant.config.attention) == {
        "kind": "grouped_query",
        "n_kv_heads": 2,
        "out_bias": False,
    }


def test_another_kind_replaces_the_whole_mapping(write):
    variant = load_variant(write("child.yaml", "extends: base.yaml\nattention: {kind: multi_head}\n"))
    assert shortest(variant.config.attention) == {"kind": "multi_head"}


def test_a_chain_of_files_in_folders(write):
    write("deep/middle.yaml", "extends: ../base.yaml\nn_layers: 5\n")
    variant = load_variant(write("top.yaml", "extends: deep/middle.yaml\nn_heads: 8\n"))
    assert (variant.config.n_layers, variant.config.n_heads, variant.config.emb_dim) == (5, 8, 64)


def test_a_catalog_name_as_base(write):
    variant = load_variant(write("mine.yaml", "extends: gpt-nano\nname: my-nano\nn_layers: 1\n"))
    assert (variant.name, variant.config.n_layers, variant.config.emb_dim) == ("my-nano", 1, 128)


def test_problems_stand_in_the_file_that_gave_the_value(write, tmp_path):
    child = write("child.yaml", "extends: base.yaml\nn_layers: 0\n\nattention:\n  n_kv_heads: 3\n")
    assert refusal(child) == [f"{child}:2:1: n_layers: Input should be greater than 0, got 0"]
    write("base.yaml", BASE.replace("emb_dim: 64", "emb_dim: x"))
    assert refusal(write("other.yaml", "extends: base.yaml\n")) == [
        f"{tmp_path}/base.yaml:3:1: emb_dim: Input should be a valid integer, "
        "unable to parse string as an integer, got 'x'"
    ]


def test_a_rule_between_fields_points_at_the_value(write):
    child = write("child.yaml", "extends: base.yaml\n\nattention:\n  n_kv_heads: 3\n")
    assert refusal(child) == [
        f"{child}:4:3: attention.n_kv_heads: "
        "`n_heads` must be a multiple of `n_kv_heads`, got 4 and 3; try 2 or 4"
    ]


def test_a_missing_key_of_a_replaced_mapping_is_not_blamed_on_the_base(write, tmp_path):
    write("base.yaml", BASE.replace("{kind: grouped_query, n_kv_heads: 2}", "{kind: multi_head}"))
    child = write("child.yaml", "extends: base.yaml\nattention: {kind: grouped_query}\n")
    assert refusal(child) == [f"{child}:2:1: attention.n_kv_heads: this key is missing"]


def test_all_problems_at_once(write):
    file = write("bad.yaml", "vocab_size: 0\nemb_dmi: 3\nn_heads: a\n")
    lines = refusal(file)
    assert f"{file}:2:1: emb_dmi: unknown key `emb_dmi`; did you mean `emb_dim`?" in lines
    assert f"{file}:1:1: n_layers: this key is missing" in lines
    assert len(lines) == 6


def test_a_circle_is_shown(write, tmp_path):
    write("a.yaml", "extends: b.yaml\n")
    write("b.yaml", "n_heads: 2\nextends: ./a.yaml\n")
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    assert refusal(a) == [f"{b}:2:1: extends: this goes in a circle: {a} -> {b} -> {a}"]
    self_made = write("c.yaml", "extends: c.yaml\n")
    assert refusal(self_made) == [
        f"{self_made}:1:1: extends: this goes in a circle: {self_made} -> {self_made}"
    ]


def test_unknown_bases(write, tmp_path):
    [line] = refusal(write("a.yaml", "extends: gpt-nanoo\n"))
    assert line.startswith(
        f"{tmp_path}/a.yaml:1:1: extends: no variant is called `gpt-nanoo`; did you mean `gpt-nano`?"
    )
    assert line.endswith(f"`gpt-zoo list` names all {len(list_variants())}")
    assert refusal(write("b.yaml", "extends: none.yaml\n")) == [
        f"{tmp_path}/b.yaml:1:1: extends: there is no file `{tmp_path}/none.yaml`"
    ]
    for value in ("3", "[base.yaml]", "", "''"):
        assert refusal(write("c.yaml", f"extends: {value}\n")) == [
            f"{tmp_path}/c.yaml:1:1: extends: must be the name or the file of one variant"
        ]


@pytest.mark.parametrize("name", ["Upper", "-a", "a b", "'../x'", "''"])
def test_names_are_checked(write, name):
    [line] = refusal(write("a.yaml", f"extends: base.yaml\nname: {name}\n"))
    assert "a.yaml:2:1: name: a name starts with a small letter or a digit" in line


def test_headers_are_text(write):
    lines = refusal(write("a.yaml", "extends: base.yaml\nname: 3\nsource: [x]\n"))
    assert len(lines) == 2
    assert any("source: `source` must be text, got ['x']" in line for line in lines)


def test_a_domain_is_refused_in_a_variant(write):
    [line] = refusal(write("a.yaml", "extends: base.yaml\nn_layers: {choice: [1, 2]}\n"))
    assert line.endswith(
        "a.yaml:2:1: n_layers: a variant has one value here; domains belong into the space of a search"
    )


def test_overrides_are_blamed_for_what_they_give(write, tmp_path):
    base = tmp_path / "base.yaml"
    assert refusal(base, ["emb_dim=1.5"]) == [
        "--set emb_dim=1.5: emb_dim: Input should be a valid integer, "
        "got a number with a fractional part: 1.5"
    ]
    assert refusal(base, ["attention.n_kv_heads=3"])[0].startswith(
        "--set attention.n_kv_heads=3: attention.n_kv_heads: "
    )
    assert refusal(base, {"n_headz": 3}) == [
        "override: n_headz: unknown key `n_headz`; did you mean `n_heads`?"
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_a_kind_is_laid_before_its_fields_whatever_the_order(order):
    overrides = ["attention.kind=grouped_query", "attention.n_kv_heads=2"][::order]
    assert load_variant("gpt-nano", overrides).config.attention.n_kv_heads == 2


def test_overrides_are_yaml_and_the_last_one_wins():
    config = load_variant(
        "gpt-nano", ["drop_rate=1e-1", "n_layers=2", "n_layers=3", "norm={kind: rms_norm}"]
    ).config
    assert (config.drop_rate, config.n_layers, config.norm.kind) == (0.1, 3, "rms_norm")
    assert load_variant("gpt-nano", "n_layers=7").config.n_layers == 7
    assert load_variant("gpt-nano", {"norm": {"kind": "rms_norm"}, "norm.eps": 0.5}).config.norm.eps == 0.5


def test_overrides_reach_into_layers():
    layers = "layers=[{attention: {kind: grouped_query, n_kv_heads: 1}}, {}]"
    config = load_variant(
        "gpt-nano", [layers, "layers[0].attention.n_kv_heads=2", "layers[1]={n_heads: 2}"]
    ).config
    assert config.layers == ({"attention": {"kind": "grouped_query", "n_kv_heads": 2}}, {"n_heads": 2})


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("emb_dim", "--set emb_dim: expected `key.path=value`, such as `emb_dim=256`"),
        ("=3", "--set =3: a key path looks like `n_heads` or `layers[0].attention.n_kv_heads`, got ``"),
        (
            "a..b=3",
            "--set a..b=3: a key path looks like `n_heads` or `layers[0].attention.n_kv_heads`, got `a..b`",
        ),
        (
            "[0]=3",
            "--set [0]=3: a key path looks like `n_heads` or `layers[0].attention.n_kv_heads`, got `[0]`",
        ),
        ("layers[0].x=1", "--set layers[0].x=1: layers[0].x: there is no `layers[0]`: `layers` is no list"),
        (
            "norm=!!str x",
            "--set norm=!!str x: norm: tags are not accepted, found `!!str`; write the plain value",
        ),
    ],
)
def test_wrong_overrides(override, message):
    assert refusal("gpt-nano", [override]) == [message]


def test_an_index_beyond_the_list():
    [line] = refusal("gpt-nano", ["layers=[{}]", "layers[1].n_heads=2"])
    assert line.endswith("there is no `layers[1]`: `layers` is a list of 1")


def test_a_mapping_inside_of_another_file(write, tmp_path):
    experiment = load_document(
        write("e.yaml", "variants:\n  - name: x\n    extends: base.yaml\n    n_heads: 3\n")
    )
    entry = experiment.at("variants", 0)
    with pytest.raises(DeclarationError) as caught:
        resolve_variant(entry.data, entry.marks, tmp_path)
    assert str(caught.value).startswith(
        f"{tmp_path}/e.yaml:4:5: n_heads: `emb_dim` must be a multiple of `n_heads`"
    )
    entry.data["n_heads"] = 8
    assert resolve_variant(entry.data, entry.marks, tmp_path).config.n_heads == 8


def test_names_and_files_inside_of_another_file(write, tmp_path):
    entries = "".join(f"  - {entry}\n" for entry in ("gpt-nano", "base.yaml", "gpt-nan", "x.yaml", "3"))
    experiment = load_document(write("e.yaml", f"variants:\n{entries}"))

    def resolve(index):
        marks = marks_within(experiment.marks, ("variants", index))
        return resolve_variant(experiment.data["variants"][index], marks, tmp_path)

    assert [resolve(index).name for index in (0, 1)] == ["gpt-nano", "base"]
    for index, message in [
        (2, "4:5: no variant is called `gpt-nan`; did you mean `gpt-nano`?"),
        (3, f"5:5: there is no file `{tmp_path}/x.yaml`"),
        (4, "6:5: expected a name, a file or a mapping, got 3"),
    ]:
        with pytest.raises(DeclarationError) as caught:
            resolve(index)
        assert str(caught.value).startswith(f"{tmp_path}/e.yaml:{message}")


def test_a_mapping_from_a_call():
    assert resolve_variant({"extends": "gpt-nano", "n_layers": 1}).config.n_layers == 1
    with pytest.raises(DeclarationError, match=r"^variant: n_layers: Input should be greater than 0, got 0$"):
        resolve_variant({"extends": "gpt-nano", "n_layers": 0})
