"""The one door for YAML: positions, the types of YAML 1.2, and nothing but data."""

import math
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import DeclarationError
from registry.yaml_dump import dump_document
from registry.yaml_source import load_document, load_value

WORDS = st.text("abcxyz -_/", min_size=1, max_size=8)
SAFE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


class _PlainDumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def refusal(source, name="f.yaml") -> str:
    with pytest.raises(DeclarationError) as caught:
        load_document(source, name)
    return str(caught.value)


def problems_in(source, name):
    try:
        load_document(source, name)
    except DeclarationError as error:
        return error.problems
    return ()


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(WORDS, SAFE), st.booleans())
def test_reads_what_pyyaml_reads_where_both_versions_of_yaml_agree(data, flow):
    text = yaml.dump(data, Dumper=_PlainDumper, default_flow_style=flow)
    assert load_document(text).data == yaml.safe_load(text) == data


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(st.text(max_size=5).filter(lambda key: key != "<<"), ANYTHING))
def test_what_is_dumped_reads_back(data):
    def without_merge_keys(value):
        if isinstance(value, dict):
            return {key: without_merge_keys(item) for key, item in value.items() if key != "<<"}
        return [without_merge_keys(item) for item in value] if isinstance(value, list) else value

    data = without_merge_keys(data)
    assert load_document(dump_document(data)).data == data


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    assert all(problem.where.startswith("f.yaml") for problem in problems_in(text, "f.yaml"))


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "bytes.yaml"
    file.write_bytes(content)
    assert all(problem.where.startswith(str(file)) for problem in problems_in(file, None))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("1e-3", 0.001),
        ("1E6", 1e6),
        ("2.5e+7", 2.5e7),
        ("-.5", -0.5),
        ("1_000_000", 1_000_000),
        ("1_0.5", 10.5),
        ("0x1F", 31),
        ("0o17", 15),
        ("010", 10),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("1_", "1_"),
        ("_1", "_1"),
        (".", "."),
        ("=", "="),
        ("", None),
        ("~", None),
        ("null", None),
        ("-.inf", -math.inf),
        ("'1'", "1"),
        ('"true"', "true"),
        ("[1, {a: b}]", [1, {"a": "b"}]),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(text, value):
    read = load_value(text, "value")
    assert read == value
    assert type(read) is type(value)


def test_nan_is_a_number():
    assert math.isnan(load_value(".nan", "value"))


def test_marks_are_the_positions_of_keys_and_items():
    document = load_document("a: 1\nb:\n  c: [2, {d: 3}]\n", "f.yaml")
    assert document.marks == {
        (): "f.yaml:1:1",
        ("a",): "f.yaml:1:1",
        ("b",): "f.yaml:2:1",
        ("b", "c"): "f.yaml:3:3",
        ("b", "c", 0): "f.yaml:3:7",
        ("b", "c", 1): "f.yaml:3:10",
        ("b", "c", 1, "d"): "f.yaml:3:11",
    }


def test_a_part_of_a_document_keeps_its_positions():
    part = load_document("variants:\n  - name: a\n    n_heads: 3\n", "e.yaml").at("variants", 0)
    assert part.data == {"name": "a", "n_heads": 3}
    assert part.marks == {(): "e.yaml:2:5", ("name",): "e.yaml:2:5", ("n_heads",): "e.yaml:3:5"}
    with pytest.raises(TypeError, match="no mapping"):
        load_document("a: 1").at("a")


def test_a_byte_order_mark_is_ignored(tmp_path):
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert load_document(file).data == {"a": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml:1:1: expected keys with values, such as `n_heads: 4`, found nothing"),
        ("# only a comment\n", "f.yaml:1:1: expected keys with values, such as `n_heads: 4`, found nothing"),
        ("- 1\n", "f.yaml:1:1: expected keys with values, such as `n_heads: 4`, found a list"),
        ("hello", "f.yaml:1:1: expected keys with values, such as `n_heads: 4`, found a value"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: a: the key is given twice, first at f.yaml:1:1; keep one"),
        ("a:\n  b: 1\n  b: 1\n", "f.yaml:3:3: a.b: the key is given twice, first at f.yaml:2:3; keep one"),
        (
            "a: &x 1\n",
            "f.yaml:1:4: anchors (&) and aliases (*) are not accepted; use `extends` to share values",
        ),
        (
            "a: *x\n",
            "f.yaml:1:4: anchors (&) and aliases (*) are not accepted; use `extends` to share values",
        ),
        (
            "a:\n  <<: {b: 1}\n",
            "f.yaml:2:3: a: merge keys (<<) are not accepted; use `extends` to share values",
        ),
        (
            "a: !!str 1",
            "f.yaml:1:4: tags are not accepted, found `!!str`; write the plain value",
        ),
        ("a: !mine 1", "f.yaml:1:4: tags are not accepted, found `!mine`; write the plain value"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a file holds one document; found a second one"),
        ("1: a\n", "f.yaml:1:1: a key must be text, got `1`; quote it if it is a name"),
        ("? [a]\n: 1\n", "f.yaml:1:3: a key must be a name, not a list or a mapping"),
        ("a:\n\tb: 1\n", "f.yaml:2:1: found character '\\t' that cannot start any token; indent with spaces"),
        ("a: b: c\n", "f.yaml:1:5: mapping values are not allowed here"),
        ("a: \x07", "f.yaml:1:4: the character U+0007 is not allowed in YAML"),
        ("b: 1\na: " + "9" * 5000, "f.yaml:2:4: a: the number has too many digits"),
    ],
)
def test_what_is_refused_says_where_and_why(text, message):
    assert refusal(text) == message


def test_all_wrong_keys_are_told_at_once():
    assert len(refusal("1: a\ntrue: b\nc: 1\nc: 2\n").splitlines()) == 3


def test_undecodable_bytes_have_a_position(tmp_path):
    file = tmp_path / "latin.yaml"
    file.write_bytes("ok: 1\nname: süß\n".encode("latin-1"))
    assert refusal(file) == "f.yaml:2:8: byte 0xfc is no UTF-8; save the file as UTF-8"


def test_files_that_cannot_be_read(tmp_path):
    assert (
        refusal(tmp_path / "none.yaml", "none.yaml")
        == "none.yaml: cannot read the file: no such file or directory"
    )
    assert "is a directory" in refusal(tmp_path)


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "anchors"),
        ("a: !!python/object/apply:os.system ['true']", "tags"),
        ("!!python/object:builtins.dict {}", "tags"),
        ("[" * 100_000, "nested more than 50"),
        ("a: " + "{a: " * 100_000, "nested more than 50"),
        ("- " * 100_000, "nested more than 50"),
        ("\n".join(" " * depth + "a:" for depth in range(1000)), "nested more than 50"),
        ("a: 1\n" * 300_000, "at most 1,048,576 bytes"),
        ("a: [" + "[]," * 300_000 + "]", "more than 20,000 keys and values"),
        ("a: [" + "{b: 1}," * 140_000 + "]", "more than 20,000 keys and values"),
        ("? a\n" * 2000, "the key is given twice"),
    ],
)
def test_hostile_documents_are_refused_at_once(text, reason):
    start = time.perf_counter()
    message = refusal(text)
    assert reason in message
    assert len(message) < 3000
    assert time.perf_counter() - start < 10  # some of these take hours if read to the end
