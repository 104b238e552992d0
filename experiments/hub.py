"""Models of the Hugging Face hub brought in, and ours written for it: what `import` and `export` do."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from gpt_zoo.config.gpt import GPTConfig
from gpt_zoo.families.engine.download import find_folder
from gpt_zoo.families.engine.hub_folder import CONFIG, HubFolder, copy_tokenizer
from registry.catalog import VARIANT_NAME

if TYPE_CHECKING:
    from gpt_zoo.families.family import Family

IMPORTED = Path("imported")
"""Where imported models lie unless another place is given, below the working folder."""


def import_model(
    source: str, out: Path | None = None, name: str | None = None, *, force: bool = False
) -> list[str]:
    """Bring a model of the hub into our own format: variant, weights, checksums, the tokenizer's files.

    Args:
        source: A folder, or `owner/name` on the hub.
        out: Folder to write; `imported/NAME` unless given.
        name: Of the variant; made of the source's unless given.
        force: Replace a model that `out` holds already.

    Returns:
        What was done, and what was left out, in lines to be read.

    Raises:
        ValueError: the folder cannot be read, or says something that no variant expresses; names the field.
            The name is none of a variant, or `out` holds something else.
        OSError: the disk is full, or the folder cannot be written.
    """
    from gpt_zoo.families.engine.catalog import find_family
    from gpt_zoo.families.engine.read_config import read_config

    if name is not None and not VARIANT_NAME.fullmatch(name):
        raise ValueError(
            "a name starts with a small letter or a digit, then come these, `.`, `_` or `-`; got "
            f"{name!r}, try {_variant_name(name)}"
        )
    folder = HubFolder(find_folder(source))
    fields = folder.load_config()
    family = find_family(fields.get("model_type"))
    config, ignored = read_config(family, fields)
    is_local = Path(source).expanduser().is_dir()
    name = name or _variant_name(folder.path.resolve().name if is_local else source)
    out = out or IMPORTED / name
    if (out / CONFIG).is_file():
        raise ValueError(f"{out} holds a {CONFIG}, so it is a folder of the hub; give another --out")
    _refuse_occupied(out, force)
    tokenizer = folder.tokenizer_files()
    story = {
        "name": name,
        "description": f"A {family.model_type} model, imported from {source}.",
        "source": "" if is_local else f"https://huggingface.co/{source}",
    }
    done = _write(folder, family, out, config, story)
    copy_tokenizer(folder.path, out)
    done += [f"kept {', '.join(file.name for file in tokenizer)}"] if tokenizer else []
    told = ", ".join(sorted(ignored))
    return [*done, f"not kept, as nothing of it is computed: {told}"] if ignored else done


def _refuse_occupied(out: Path, force: bool) -> None:
    """What somebody has in a folder is not mixed with a model, nor replaced by one, unless asked for.

    Raises:
        ValueError: the folder is not empty, or no folder.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file; give --out a folder")
    held = sorted(path.name for path in out.glob("*") if not path.name.startswith("."))
    if held and not force:
        raise ValueError(
            f"{out} is not empty, it holds {held[0]}; give another --out, or --force to replace a model there"
        )


def _variant_name(text: str) -> str:
    """A name that a variant may have, as near as it gets."""
    name = re.sub(r"[^a-z0-9._-]+", "-", text.lower().rpartition("/")[2]).strip("._-")
    return name if VARIANT_NAME.fullmatch(name) else "imported"


def _write(
    folder: HubFolder, family: "Family", out: Path, config: GPTConfig, story: dict[str, str]
) -> list[str]:
    if not folder.weight_files():
        from gpt_zoo.files import written_whole
        from gpt_zoo.variant_file import SUMS, VARIANT, WEIGHTS, render_variant

        if (out / SUMS).exists() or (out / WEIGHTS).exists():
            raise ValueError(
                f"{folder.path} holds no weights, and {out} those of another model; give another --out"
            )
        with written_whole(out, last=VARIANT) as partial:
            (partial / VARIANT).write_text(render_variant(config, story), "utf-8")
        return [f"{folder.path} holds no weights: wrote the variant alone, to {out / VARIANT}"]
    from gpt_zoo import save_checkpoint
    from gpt_zoo.families.engine.load import load_weights

    save_checkpoint(out, load_weights(folder, family, config, "stored"), story)
    return [f"wrote variant and weights to {out}"]


def export_model(weights: Path, out: Path, family: str | None = None, *, force: bool = False) -> list[str]:
    """Write a checkpoint of ours as a folder that `transformers` loads, with the tokenizer's files.

    Args:
        weights: A checkpoint.
        out: Folder to write.
        family: A `model_type`; the first that can express the model unless given.
        force: Replace a model that `out` holds already.

    Returns:
        What was done, in lines to be read.

    Raises:
        ValueError: `out` holds something else; `weights` is no sound checkpoint; no family expresses the
            variant, and names the field.
        OSError: the disk is full, or the folder cannot be written.
    """
    from gpt_zoo import load_checkpoint
    from gpt_zoo.families.engine.choice import choose_family
    from gpt_zoo.families.engine.save import save_model
    from gpt_zoo.variant_file import VARIANT

    if (out / VARIANT).exists():
        raise ValueError(f"{out} holds a {VARIANT}, so it is a checkpoint of ours; give another --out")
    _refuse_occupied(out, force)
    model = load_checkpoint(weights)
    chosen = choose_family(model.config, family)
    save_model(model, out, chosen, tokenizer=weights)
    return [f"wrote a {chosen.model_type} model to {out}"]
