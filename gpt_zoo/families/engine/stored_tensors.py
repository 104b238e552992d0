"""The tensors in files of safetensors, each read when it is asked for."""

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import torch
from torch import Tensor

from gpt_zoo.families.engine.errors import HubError

_DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


class _Place(NamedTuple):
    file: Any
    name: str


class StoredTensors:
    """Tensors by name.

    Raises:
        HubError: a file is damaged, or two files have the same tensor.
    """

    def __init__(self, paths: list[Path]) -> None:
        self._places: dict[str, _Place] = {}
        for path in paths:
            try:
                file: Any = safetensors.safe_open(str(path), framework="pt")
            except (OSError, safetensors.SafetensorError) as error:
                raise HubError(f"{path} cannot be read: {error}") from error
            for name in file.keys():  # noqa: SIM118 - no mapping
                if name in self._places:
                    raise HubError(f"{path} has the tensor {name}, which another file of its folder has too")
                self._places[name] = _Place(file, name)

    def add_prefix(self, prefix: str, known: Collection[str]) -> None:
        """Call the tensors of a bare model, without its head, as those of the whole model are called."""
        if not any(name.startswith(prefix) for name in self._places):
            self._places = {
                name if name in known else prefix + name: place for name, place in self._places.items()
            }

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def load(self, name: str) -> Tensor:
        """Read a tensor."""
        file, stored_name = self._places[name]
        tensor: Tensor = file.get_tensor(stored_name)
        return tensor

    def dtype(self) -> torch.dtype:
        """The type of most tensors.

        Raises:
            HubError: they are no floating-point numbers of 16 bits or more.
        """
        kinds = Counter(file.get_slice(name).get_dtype() for file, name in self._places.values())
        kind = kinds.most_common(1)[0][0]
        if kind not in _DTYPES:
            raise HubError(f"the weights are numbers of the type {kind}; read are {', '.join(_DTYPES)}")
        return _DTYPES[kind]
