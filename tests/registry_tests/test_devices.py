"""The table of devices."""

from pathlib import Path

import pytest

from registry.devices import find_device, list_devices, read_devices
from registry.errors import DeclarationError


def test_the_devices_that_people_ask_for_are_there():
    assert {"h100", "h100-pcie", "h200", "a100", "a100-40gb", "l4", "rtx-4090", "m1-max", "m4-max"} <= set(
        list_devices()
    )
    assert all(name == device.name for name, device in list_devices().items())


def test_tensor_cores_are_told_without_sparsity():
    # NVIDIA's sheets print twice as much, with a footnote: 1,979, 624, 242 and 330 TFLOP/s.
    peaks = [find_device(name).bfloat16_flops_per_second for name in ("h100", "a100", "l4", "rtx-4090")]
    assert peaks == [989.4e12, 312e12, 121e12, 165.2e12]


@pytest.mark.parametrize(
    ("name", "hint"), [("h10", "did you mean `h100`"), ("rtx4090", "`rtx-4090`"), ("tpu", "known are `h100`")]
)
def test_an_unknown_device_is_a_clear_error(name: str, hint: str):
    with pytest.raises(ValueError, match="no device is called") as caught:
        find_device(name)
    assert hint in str(caught.value)


def test_a_broken_table_is_told_with_its_place(tmp_path: Path):
    table = tmp_path / "devices.yaml"
    table.write_text("mine:\n  label: Mine\n  memory_bytes: 8e9\n  bandwith_bytes_per_second: 1e9\n")
    with pytest.raises(DeclarationError) as caught:
        read_devices(table)
    assert "devices.yaml:4:3: mine.bandwith_bytes_per_second: unknown key" in str(caught.value)
    assert "did you mean `bandwidth_bytes_per_second`" in str(caught.value)
    table.write_text("mine: 5\n")
    with pytest.raises(DeclarationError):
        read_devices(table)
