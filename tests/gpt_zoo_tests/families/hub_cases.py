"""The variants that the contract is held with: a file `cases_FAMILY.py` beside this one for each family."""

import importlib
from pathlib import Path

from hub_models import HubCase

CASES: list[HubCase] = [
    case
    for path in sorted(Path(__file__).parent.glob("cases_*.py"))
    for case in importlib.import_module(path.stem).CASES
]
