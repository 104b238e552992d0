import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MIB = 2**20

MEASURE = """
import json, sys
import torch
from experiments.training.memory import MemoryMeter

torch.set_num_threads(1)
torch.ones(10).sum()
before = torch.ones(40 * 2**20 // 4)  # what is there already does not count
meter = MemoryMeter(torch.device("cpu"))
peaks = [meter.peak()]
kept = torch.ones(int(sys.argv[1]) * 2**20 // 4)
passing = torch.ones(int(sys.argv[2]) * 2**20 // 4)
del passing
peaks.append(meter.peak())
print(json.dumps([[peak.memory_bytes, peak.process_memory_bytes] for peak in peaks]))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux forgets a peak")
def test_the_peak_is_what_was_allocated_at_once_on_top_of_what_was_there() -> None:
    command = [sys.executable, "-c", MEASURE, "64", "100"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    (nothing, process), (peak, process_peak) = json.loads(answer.stdout)
    assert 0 <= nothing < 4 * MIB
    assert 160 * MIB <= peak < 180 * MIB
    assert process_peak >= process + 160 * MIB
    assert process > 40 * MIB
