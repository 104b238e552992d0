"""The accelerators that times are estimated for: one table of what their makers publish."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from gpt_zoo.config.base import did_you_mean
from gpt_zoo.cost.roofline import Device
from registry.errors import DeclarationError, problems_of
from registry.yaml_source import load_document


@cache
def list_devices() -> dict[str, Device]:
    """The devices of the table, by name.

    Raises:
        DeclarationError: the table is broken.
    """
    return read_devices(Path(str(files("registry"))) / "devices.yaml")


def read_devices(path: Path) -> dict[str, Device]:
    """The devices that a YAML file lists, by name.

    Raises:
        DeclarationError: it is no such file.
    """
    document = load_document(path)
    devices, problems = {}, []
    for name, fields in document.data.items():
        try:
            devices[name] = Device.model_validate(
                {"name": name} | fields if isinstance(fields, dict) else fields
            )
        except ValidationError as error:
            problems += problems_of(error, document.marks, (name,))
    if problems:
        raise DeclarationError(problems)
    return devices


def find_device(name: str) -> Device:
    """The device of the table called `name`.

    Raises:
        ValueError: there is none.
    """
    devices = list_devices()
    if name not in devices:
        raise ValueError(f"no device is called `{name}`; {did_you_mean(name, [*devices, 'this'])}")
    return devices[name]
