"""What comes from outside of the repository: it joins everything, or is left out as a whole."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import registry
from gpt_zoo.config import GPTConfig
from gpt_zoo.config.slot import KINDS
from gpt_zoo.cost import model_cost
from gpt_zoo.layers.activations import ACTIVATIONS
from registry import plugins
from registry.schema import space_schema, variant_schema

NORM = """
from typing import ClassVar, Literal
from gpt_zoo.config.norm.base import NormConfig
from registry import activation, register_kind

class {name}(NormConfig):
    kind: Literal["{kind}"] = "{kind}"
    module: ClassVar[str] = "torch.nn:Identity"
    source: ClassVar[str] = "Ourselves 2026"
    factor: float = 2.5

    def params(self, width: int) -> int:
        return 7 * width

register_kind("norm", {name})
"""
TINY = {"vocab_size": 61, "context_length": 13, "emb_dim": 24, "n_heads": 4, "n_layers": 2}


class Undone(Exception):
    """Ends a test, so that what it has registered is taken back."""


@pytest.fixture(autouse=True)
def _nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(plugins, "_tried", set())
    monkeypatch.setattr(plugins, "_named", {})
    monkeypatch.chdir(tmp_path)
    with suppress(Undone), plugins.all_or_nothing():
        yield
        raise Undone
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a module into the current folder."""

    def write_module(module: str, text: str, **values: str) -> Path:
        path = tmp_path / f"{module}.py"
        path.write_text(text.format(**values) if values else text)
        return path

    return write_module


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder on the path in which a distribution with entry points is installed."""

    def install_distribution(**entries: str) -> Path:
        folder = tmp_path / "site"
        info = folder / "zoo_extras-1.0.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo-extras\nVersion: 1.0\n")
        lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
        (info / "entry_points.txt").write_text(f"[gpt_zoo.plugins]\n{lines}")
        sys.path.append(str(folder))
        return folder

    return install_distribution


def everything() -> Any:
    """All that is registered."""
    return {slot: list(kinds) for slot, kinds in KINDS.items()}, list(ACTIVATIONS), registry.list_variants()


def test_a_module_of_the_user_joins_configs_costs_errors_lists_and_schemas(write):
    write("my_norms", NORM, name="SeventhNorm", kind="seventh")
    registry.load_plugins(["my_norms"])
    config = registry.load_variant("gpt-nano", ["norm={kind: seventh, factor: 3}"]).config
    norms = 2 * config.n_layers + 1
    classic = model_cost(registry.load_variant("gpt-nano").config).params
    assert model_cost(config).params == classic + norms * (7 - 2) * config.emb_dim
    with pytest.raises(ValueError, match="has no kind `seventg`; did you mean `seventh`"):
        GPTConfig.model_validate(TINY | {"norm": {"kind": "seventg"}})
    (kind,) = (kind for kind in registry.list_kinds() if kind.name == "seventh")
    assert (kind.slot, kind.source, kind.plugin) == ("norm", "Ourselves 2026", "my_norms")
    assert [(p.name, p.default) for p in kind.parameters] == [("factor", 2.5)]
    for schema in (variant_schema(), space_schema()):
        assert "norm.seventh.factor" in schema["$defs"]


def test_a_space_may_choose_a_kind_of_a_plugin(write):
    write("my_norms", NORM, name="SeventhNorm", kind="seventh")
    registry.load_plugins(["my_norms"])
    (Path("space.yaml")).write_text(
        "extends: gpt-nano\nnorm: {choice: [{kind: rms_norm}, {kind: seventh, factor: {choice: [1, 2]}}]}\n"
    )
    space = registry.load_space(Path("space.yaml"))
    assert space.size == 3
    chosen = [space.variant(point).config.norm.kind for point in space.enumerate()]
    assert chosen == ["rms_norm", "seventh", "seventh"]


def test_loading_twice_changes_nothing(write):
    write("my_norms", NORM, name="SeventhNorm", kind="seventh")
    registry.load_plugins(["my_norms"])
    once = everything()
    registry.load_plugins(["my_norms", "my_norms"])
    assert everything() == once
    assert plugins.named_plugins() == ("my_norms",)


def test_installed_plugins_are_modules_or_functions(install):
    folder = install(plain="norms_a", called="norms_b:register")
    (folder / "norms_a.py").write_text(NORM.format(name="A", kind="from_a"))
    body = NORM.format(name="B", kind="from_b").replace('register_kind("norm", B)', "")
    (folder / "norms_b.py").write_text(body + "\ndef register():\n    register_kind('norm', B)\n")
    registry.load_plugins()
    assert {"from_a", "from_b"} <= KINDS["norm"].keys()


BROKEN = {
    "import": ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    "syntax": ("def half(:", "SyntaxError: invalid syntax"),
    "taken": (NORM.format(name="Again", kind="rms_norm"), "`norm` already has a kind `rms_norm`"),
    "nameless": ("import sys\nsys.exit()", "SystemExit"),
    "replaces": (
        "from registry import activation\n@activation('relu')\ndef mine(x):\n    return x",
        "there is an activation `relu` already; choose another name",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_one_is_named_leaves_nothing_behind_and_stops_no_other(install, caplog, how):
    folder = install(aa_good="good_a", bad="bad", zz_good="good_z")
    text, reason = BROKEN[how]
    half = NORM.format(name="Half", kind="half_registered")
    (folder / "half.py").write_text(
        f"{half}\n@activation('half_act')\ndef half_act(x):\n    return x\n"
        f"from pathlib import Path\nregistry_folder = Path({str(folder)!r}) / 'variants'\n"
        "import registry\nregistry.register_variants(registry_folder)\n"
    )
    (folder / "variants").mkdir()
    (folder / "variants" / "half-gpt.yaml").write_text("extends: gpt-nano\n")
    (folder / "bad.py").write_text(f"import half\n{text}\n")
    for name in "az":
        (folder / f"good_{name}.py").write_text(NORM.format(name="Good", kind=f"good_{name}"))
    before = everything()
    registry.load_plugins()
    before[0]["norm"] += ["good_a", "good_z"]
    assert everything() == before
    (warning,) = caplog.messages
    assert warning.startswith("warning: the plug-in `bad` cannot be loaded: ")
    assert reason in warning
    assert "\n" not in warning
    registry.load_plugins()
    assert len(caplog.messages) == 1  # it is told once


def test_what_a_broken_plugin_had_imported_is_imported_anew_for_a_good_one(install, caplog):
    folder = install(a_bad="extras.bad", b_good="extras.good")
    (folder / "extras").mkdir()
    (folder / "extras" / "__init__.py").write_text("")
    (folder / "extras" / "good.py").write_text(NORM.format(name="Good", kind="good"))
    (folder / "extras" / "bad.py").write_text("import extras.good\n1 / 0\n")
    registry.load_plugins()
    assert caplog.messages == [
        "warning: the plug-in `a_bad` cannot be loaded: ZeroDivisionError: division by zero; it is left out"
    ]
    assert "good" in KINDS["norm"]


@pytest.mark.parametrize("named", ["shared", "between"])
def test_what_a_broken_module_had_imported_registers_when_it_is_named_itself(write, named):
    write("shared", NORM, name="Shared", kind="shared_norm")
    write("between", "from shared import Shared\n")
    write("failing", "import json, between\n1 / 0\n")
    with pytest.raises(ValueError, match="ZeroDivisionError"):
        registry.load_plugins(["failing"])
    assert "shared_norm" not in KINDS["norm"]
    assert sys.modules["json"] is json
    registry.load_plugins([named])
    assert "shared_norm" in KINDS["norm"]
    model = registry.load_variant("gpt-nano", ["norm={kind: shared_norm}"]).config
    assert type(model.norm) is sys.modules["shared"].Shared


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("my_nroms", "there is no module `my_nroms`, neither installed nor in .*; did you mean `my_norms`"),
        ("my_norms.py", "a plug-in is named as Python imports it; try `my_norms`"),
        ("./my_norms.py", "a plug-in is named as Python imports it; try `my_norms`"),
        ("extras.norms", "there is no module `extras`"),
        ("broken", "the plug-in `broken` cannot be loaded: KeyError: 'x'"),
    ],
)
def test_a_module_that_the_user_names_must_load(write, name, told):
    write("my_norms", NORM, name="SeventhNorm", kind="seventh")
    write("broken", NORM + "\n{{}}['x']\n", name="Broken", kind="broken")
    before = everything()
    with pytest.raises(ValueError, match=told):
        registry.load_plugins([name])
    assert everything() == before
    assert plugins.named_plugins() == ()


def test_a_repaired_module_can_be_loaded_after_all(write):
    write("my_norms", "1 / 0\n")
    with pytest.raises(ValueError, match="ZeroDivisionError"):
        registry.load_plugins(["my_norms"])
    write("my_norms", NORM, name="SeventhNorm", kind="seventh_and_repaired")
    registry.load_plugins(["my_norms"])
    assert "seventh_and_repaired" in KINDS["norm"]


def test_nothing_of_the_current_folder_stands_in_for_what_is_installed(write):
    write("json", "raise SystemExit('the wrong json')")
    write("my_norms", NORM, name="SeventhNorm", kind="seventh")
    registry.load_plugins(["my_norms"])
    code = "import sys, registry; registry.load_plugins(['my_norms']); import json; print(json.__file__)"
    root = Path(registry.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == json.__file__


def test_a_declaration_cannot_name_a_module(write):
    write("my_norms", "raise SystemExit('it ran')")
    Path("evil.yaml").write_text("extends: gpt-nano\nplugins: [my_norms]\n")
    with pytest.raises(registry.DeclarationError, match="unknown key `plugins`"):
        registry.load_variant(Path("evil.yaml"))
    Path("evil.yaml").write_text("extends: gpt-nano\nnorm: {kind: 'my_norms:SeventhNorm'}\n")
    with pytest.raises(registry.DeclarationError, match="has no kind `my_norms:SeventhNorm`"):
        registry.load_variant(Path("evil.yaml"))
