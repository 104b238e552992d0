"""A folder of the Hugging Face hub, found on this machine or downloaded."""

from pathlib import Path

from gpt_zoo.families.engine.errors import HubError
from gpt_zoo.families.engine.hub_folder import CONFIG, INDEX, TOKENIZER_FILES

_WANTED = [CONFIG, INDEX, "*.safetensors", *TOKENIZER_FILES]


def find_folder(source: Path | str, revision: str | None = None) -> Path:
    """The folder that a path or a name on the hub means.

    Args:
        source: A folder, or `owner/name`, of which config, safetensors and tokenizer are downloaded.
        revision: Branch, tag or commit on the hub.

    Raises:
        HubError: there is no such folder; the hub is out of reach or has no such name.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    name = str(source)
    if isinstance(source, Path) or name.startswith((".", "~", "/")) or name.count("/") > 1 or folder.exists():
        raise HubError(f"no folder {source}; a model of the hub is named `owner/name`")
    return _download(name, revision)


def _download(name: str, revision: str | None) -> Path:
    from huggingface_hub import constants, snapshot_download

    from gpt_zoo.network import is_reachable

    offline = constants.HF_HUB_OFFLINE or not is_reachable(constants.ENDPOINT)
    try:
        return Path(
            snapshot_download(name, revision=revision, allow_patterns=_WANTED, local_files_only=offline)
        )
    except Exception as error:
        # Every mistake in a name has its own type, and these changed between versions.
        told = (str(error).strip() or type(error).__name__).splitlines()[0]
        if offline:
            raise HubError(
                f"there is no folder {name}, it is not in this machine's cache of the hub, and the hub "
                f"cannot be reached; where there is network, run `hf download {name} --local-dir FOLDER`, "
                "then copy FOLDER here and give its path"
            ) from error
        raise HubError(f"cannot download {name} from the hub: {told}") from error
