"""Variants: named, validated configs, and the models they build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gpt_zoo.config import GPTConfig
from registry.document import Marks
from registry.domains import find_domains
from registry.errors import DeclarationError, problem_at, problems_of
from registry.inheritance import Declaration, declare_entry, declare_file
from registry.overrides import Overrides

if TYPE_CHECKING:
    from gpt_zoo.model import GPTModel


@dataclass(frozen=True)
class Variant:
    """A config with a name and a story."""

    name: str
    description: str
    source: str
    """Paper or model card."""
    config: GPTConfig
    origin: Path | None = None
    """The file that declares it; None for what a call or another file holds."""


def load_variant(name_or_path: str | Path, overrides: Overrides = ()) -> Variant:
    """Read a variant.

    Args:
        name_or_path: A name in the catalog, or a file: a Path, or text that has a separator or ends in .yaml.
        overrides: `["key.path=value"]`, values in YAML, or `{"key.path": value}`; laid over what is declared,
            deeply.

    Raises:
        DeclarationError: (a ValueError) everything that is wrong, with file, line and key path.
    """
    return build_variant(declare_file(name_or_path, overrides))


def resolve_variant(
    entry: str | Mapping[str, Any],
    marks: Marks | None = None,
    folder: Path | None = None,
    overrides: Overrides = (),
    default_name: str = "variant",
) -> Variant:
    """The variant that stands inside of another file or a call.

    Args:
        entry: A name in the catalog; a file; or keys of a GPTConfig with `name`, `description`, `source`,
            `extends`.
        marks: Positions by path within `entry`, as `marks_within` gives them.
        folder: Where a relative file starts.
        overrides: As for `load_variant`.
        default_name: The name of a mapping that states none.

    Raises:
        DeclarationError: As for `load_variant`.
    """
    return build_variant(declare_entry(entry, marks, folder, overrides, default_name))


def build_variant(declaration: Declaration) -> Variant:
    """Validate a resolved declaration.

    Raises:
        DeclarationError: Its config breaks rules, or holds domains, which belong into a space.
    """
    body = declaration.body
    searched = list(find_domains(body.data))
    if searched:
        message = "a variant has one value here; domains belong into the space of a search"
        raise DeclarationError(problem_at(body.marks, path, message) for path in searched)
    try:
        config = GPTConfig.model_validate(body.data)
    except ValidationError as error:
        raise DeclarationError(problems_of(error, body.marks)) from None
    return Variant(declaration.name, declaration.description, declaration.source, config, declaration.origin)


def build_model(variant: str | Path | Variant | GPTConfig | Mapping[str, Any], **overrides: Any) -> GPTModel:
    """Build the model of a variant, with fresh weights.

    Args:
        variant: A catalog name or a file; a Variant; a GPTConfig, or its data, which may use `extends`.
        overrides: Values of the config laid over the variant's, deeply: `emb_dim=64`,
            `attention={"kind": "grouped_query", "n_kv_heads": 2}`.

    Raises:
        DeclarationError: (a ValueError) as for `load_variant`.
    """
    from gpt_zoo.model import GPTModel

    if isinstance(variant, Variant):
        variant = variant.config
    if isinstance(variant, GPTConfig):
        variant = variant.model_dump(mode="json")
    if isinstance(variant, Mapping):
        return GPTModel(resolve_variant(variant, overrides=overrides).config)
    return GPTModel(load_variant(variant, overrides).config)
