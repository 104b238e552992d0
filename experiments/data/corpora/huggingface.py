"""Corpora of the Hugging Face hub, and of local folders that `datasets` can read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.data.config import HuggingFaceCorpus
from experiments.data.corpora.columns import text_of_row
from experiments.data.errors import DataError
from gpt_zoo.network import is_reachable


@dataclass(frozen=True)
class HuggingFaceDataset:
    """One column of a dataset."""

    name: str
    rows: Any
    column: str
    total_bytes: int | None = None

    def __iter__(self) -> Iterator[str]:
        """Stream the texts of the column; empty ones and nulls are passed over."""
        rows = enumerate(self.rows)
        while True:
            try:
                number, row = next(rows)
            except StopIteration:
                return
            except Exception as error:
                # Broken files and lost connections surface as many types, from several libraries.
                raise DataError(f"{self.name}: cannot be read on: {_first_line(error)}") from error
            text = text_of_row(row, self.column, f"{self.name}, row {number}")
            if text:
                yield text


def open_huggingface(config: HuggingFaceCorpus, *, stream: bool) -> HuggingFaceDataset:
    """A dataset, ready to be read. Never runs code of the dataset.

    Args:
        config: what is read.
        stream: read from the hub while iterating, where otherwise all is downloaded first.

    Raises:
        DataError: `datasets` is missing; no such dataset, subset or split; the hub is out of reach.
    """
    try:
        import datasets
    except ImportError as error:
        raise DataError(
            "a `huggingface` corpus needs the package `datasets`: pip install gpt-zoo[data]"
        ) from error
    folder = Path(config.name).expanduser()
    local = folder.is_dir()
    if not local and (folder.is_absolute() or config.name.startswith((".", "~"))):
        raise DataError(f"no folder {config.name}; a dataset of the hub is named `owner/dataset`")
    datasets.disable_progress_bars()
    offline = not local and (datasets.config.HF_HUB_OFFLINE or not is_reachable(datasets.config.HF_ENDPOINT))
    try:
        with _offline_mode() if offline else _as_it_is():
            rows = datasets.load_dataset(
                str(folder) if local else config.name,
                config.config,
                split=config.split,
                revision=config.revision,
                # A local folder is read in place; offline, the hub's data can only be an earlier download.
                streaming=local or (stream and not offline),
            )
    except Exception as error:
        # Every mistake in a name has its own type, and these changed between versions.
        raise DataError(_explain(config, offline, error)) from error
    return HuggingFaceDataset(config.name, rows, config.column)


@contextmanager
def _offline_mode() -> Iterator[None]:
    """Have the libraries look only at what was downloaded: both read their switch at import."""
    import datasets
    import huggingface_hub

    switches = [datasets.config, huggingface_hub.constants]
    before = [switch.HF_HUB_OFFLINE for switch in switches]
    try:
        for switch in switches:
            switch.HF_HUB_OFFLINE = True
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.HF_HUB_OFFLINE = value


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


def _explain(config: HuggingFaceCorpus, offline: bool, error: Exception) -> str:
    if offline:
        return (
            f"the dataset {config.name} is not on this machine and the Hugging Face hub cannot be reached; "
            "use a local corpus (kind: text or jsonl), or download it on a machine with network and point "
            f"HF_HOME to a copy of its cache ({_first_line(error)})"
        )
    return f"cannot open the dataset {config.name}: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
