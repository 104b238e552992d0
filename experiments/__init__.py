"""What is done with models: data, training, searches, comparisons, tables, reports, the command line.

run = experiments.run_search("demo")          # a shipped name, a file, or a mapping
experiments.trials_table(run)                 # a pandas DataFrame, one row a training
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.audit.run import run_audit
    from experiments.comparison import run_comparison
    from experiments.lessons import lessons_table
    from experiments.loading import load_experiment
    from experiments.rank_table import rank_stability_table
    from experiments.report import render_report
    from experiments.run_folder import RunFolder
    from experiments.search.run import run_search
    from experiments.stopping_table import stopping_table
    from experiments.tables import curves_table, summary_table, trials_table

# Each public name and where it lives: found on first use, so that an import alone loads nothing heavy.
_PUBLIC = {
    "RunFolder": "experiments.run_folder",
    "curves_table": "experiments.tables",
    "lessons_table": "experiments.lessons",
    "load_experiment": "experiments.loading",
    "rank_stability_table": "experiments.rank_table",
    "render_report": "experiments.report",
    "run_audit": "experiments.audit.run",
    "run_comparison": "experiments.comparison",
    "run_search": "experiments.search.run",
    "stopping_table": "experiments.stopping_table",
    "summary_table": "experiments.tables",
    "trials_table": "experiments.tables",
}

__all__ = [
    "RunFolder",
    "curves_table",
    "lessons_table",
    "load_experiment",
    "rank_stability_table",
    "render_report",
    "run_audit",
    "run_comparison",
    "run_search",
    "stopping_table",
    "summary_table",
    "trials_table",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
