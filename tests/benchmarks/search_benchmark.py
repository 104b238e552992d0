"""How much of the best front searches find, for how much training: replayed on tables of known losses.

    python tests/benchmarks/search_benchmark.py [--hwgpt FILE.csv] [--seeds 20] [--jobs 2] [--done FILE.jsonl]
        [--out search.md]

Each sampler searches each table with each seed, and is told the table's loss of what it proposes. The front's
hypervolume is in loss and the logarithm of one cost, bounded by the worst of the table, as a share of that of
the whole table. Ours chooses among the rows. Optuna's samplers propose values one by one; what is no row of
the table, or one that was taken, is given the nearest row that was not. `--done` keeps what was searched, so
that a call which was cut off goes on, and one with other samplers, seeds or limits adds to it: Optuna's
Gaussian process takes a minute and a half for each search of 10,000 rows, and may have fewer.
"""

import argparse
import json
import multiprocessing
import os
import platform
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import optuna
from search_figure import draw_progress
from search_replay import OTHERS, OURS, SHARES, Progress, Search, follow, run_search
from search_tables import Table, read_exhaustive, read_hwgpt
from tabulate import tabulate

EXHAUSTIVE = Path(__file__).parent / "exhaustive"
MOST = {
    OURS: 200,
    "tpe": 300,
    "tpe, multivariate": 300,
    "nsga2": 2000,
    "nsga3": 2000,
    "gp": 120,
    "random": 4000,
}
"""Evaluations: what has not been found by then counts as having needed more."""


def main() -> None:
    """Search all tables with all samplers and print what they needed."""
    asked = _parse()
    tables = _read(asked)
    wanted = [
        Search(table.name, cost, name, seed, asked.most or MOST[name])
        for table in tables.values()
        for cost in table.costs
        if not asked.costs or cost in asked.costs
        for name in asked.samplers
        for seed in range(asked.seeds)
    ]
    done = _load(asked.done)
    missing = [] if asked.tell else [search for search in wanted if search not in done]
    for search, found in _run(missing, asked):
        done[search] = found
        with asked.done.open("a") as file:
            file.write(json.dumps({**asdict(search), **found}) + "\n")
        print(*asdict(search).values(), len(found["rows"]), file=sys.stderr, flush=True)
    if asked.tell:
        wanted = list(done)
    text = _tell({search: done[search] for search in wanted}, tables, asked.out)
    print(text)
    if asked.out:
        asked.out.write_text(text, "utf-8")


def _parse() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--hwgpt", type=Path, help="HW-GPT-Bench's space S as a CSV file")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--samplers", nargs="+", default=[OURS, *OTHERS], choices=[OURS, *OTHERS])
    parser.add_argument("--costs", nargs="+", help="of a table, instead of all")
    parser.add_argument("--most", type=int, help="evaluations at most, instead of those of each sampler")
    parser.add_argument("--done", type=Path, default=Path("searches.jsonl"))
    parser.add_argument("--tell", action="store_true", help="search nothing: tell all that was")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def _read(asked: argparse.Namespace) -> dict[str, Table]:
    tables = [read_exhaustive(EXHAUSTIVE)] if (EXHAUSTIVE / "trials.parquet").exists() else []
    if asked.hwgpt is not None:
        tables.append(read_hwgpt(asked.hwgpt))
    return {table.name: table for table in tables}


def _load(path: Path) -> dict[Search, dict[str, Any]]:
    """What was searched by earlier calls."""
    done = {}
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        found = json.loads(line)
        search = Search(**{name: found.pop(name) for name in Search.__dataclass_fields__})
        done[search] = found
    return done


def _run(searches: list[Search], asked: argparse.Namespace) -> Iterator[tuple[Search, dict[str, Any]]]:
    """The searches as they end, in processes of one thread each."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.jobs, mp_context=spawn, initializer=_prepare, initargs=(asked,)) as pool:
        running = {pool.submit(_search, search): search for search in searches}
        for ended in as_completed(running):
            rows, seconds = ended.result()
            yield running[ended], {"rows": rows, "seconds": seconds}


_tables: dict[str, Table] = {}
"""Of a process that searches: read once."""


def _prepare(asked: argparse.Namespace) -> None:
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    _tables.update(_read(asked))


def _search(search: Search) -> tuple[list[int], float]:
    return run_search(_tables[search.table], search)


def _tell(done: dict[Search, dict[str, Any]], tables: dict[str, Table], out: Path | None) -> str:
    """The page, with a figure beside it if it is kept."""
    heads = ["sampler", *(f"{share:.0%}: evaluations" for share in SHARES)]
    heads += [*(f"{share:.0%}: FLOPs" for share in SHARES), "seeds", "ms a proposal"]
    page = [
        "# Searches",
        "`python tests/benchmarks/search_benchmark.py`",
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, one thread a search; Python "
        f"{platform.python_version()}, optuna {version('optuna')}, numpy {version('numpy')}.",
        "What it took to find a share of the hypervolume of the whole table: the median over seeds and, in "
        "brackets, the middle half. FLOPs are those of the trainings, as a share of those of the whole "
        "table. `> N`: not found by then. Samplers of Optuna propose what is no row of a table: they get "
        "the nearest row that was not taken.",
    ]
    for table, cost in dict.fromkeys((search.table, search.cost) for search in done):
        progress: dict[str, list[Progress]] = {}
        seconds: dict[str, list[float]] = {}
        most: dict[str, int] = {}
        for search, found in done.items():
            if (search.table, search.cost) == (table, cost):
                name = search.sampler
                progress.setdefault(name, []).append(follow(tables[table], cost, found["rows"]))
                seconds.setdefault(name, []).append(found["seconds"])
                most[name] = search.most
        rows = [
            [name, *_needed(own, most[name]), len(own), f"{1e3 * median(seconds[name]):.0f}"]
            for name, own in progress.items()
        ]
        page += [f"## {table}, loss against {cost}", tabulate(rows, heads, "github")]
        if out is not None:
            picture = draw_progress(f"{table}, {cost}", progress)
            (out.parent / f"{picture.name}.svg").write_text(picture.svg, "utf-8")
            page.append(f"![{picture.title}]({picture.name}.svg)")
    return "\n\n".join(page) + "\n"


def _needed(progress: list[Progress], most: int) -> list[str]:
    spent = f"{max(float(one.flops[-1]) for one in progress):.1%}"
    cells = [_spread([one.evaluations(share) for one in progress], "{:.0f}", str(most)) for share in SHARES]
    return cells + [_spread([one.spent(share) for one in progress], "{:.2%}", spent) for share in SHARES]


def _spread(values: list[int | None] | list[float | None], form: str, most: str) -> str:
    """Median and the middle half."""
    numbers = sorted(float("inf") if value is None else value for value in values)
    low, middle, high = np.quantile(numbers, [0.25, 0.5, 0.75], method="inverted_cdf")
    told = [form.format(one) if np.isfinite(one) else f"> {most}" for one in (middle, low, high)]
    return f"{told[0]} ({told[1]}–{told[2]})" if np.isfinite(low) else told[0]


if __name__ == "__main__":
    main()
