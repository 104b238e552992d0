"""Searching a space of variants with Optuna. Only the modules in here import it."""

from experiments.search.run import run_search

__all__ = ["run_search"]
