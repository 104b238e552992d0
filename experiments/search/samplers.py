"""Who proposes the next point of a space, by name."""

import hashlib
import warnings
from collections.abc import Callable

import optuna
from optuna.samplers import (
    BaseSampler,
    BruteForceSampler,
    GPSampler,
    NSGAIIISampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)


def _tpe(seed: int) -> BaseSampler:
    # `group` lets TPE model the values which only some options have, beside those that all have.
    return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


def _nsga2(seed: int) -> BaseSampler:
    return NSGAIISampler(seed=seed, population_size=20)


SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": _tpe,
    "nsga2": _nsga2,
    "nsga3": lambda seed: NSGAIIISampler(seed=seed, population_size=20),
    "gp": lambda seed: GPSampler(seed=seed),
    "brute_force": lambda seed: BruteForceSampler(seed=seed),
    "random": lambda seed: RandomSampler(seed=seed),
    # A grid is enumerated by the space itself and enqueued; what Optuna asks of a sampler then has an answer.
    "grid": lambda seed: RandomSampler(seed=seed),
}


def build_sampler(name: str, seed: int, trial: int, parameter: str = "") -> BaseSampler:
    """The sampler for one trial, or for one parameter of it.

    Its random numbers depend on these arguments alone. A search that is continued therefore proposes what it
    would have proposed without the interruption, wherever that was, and never its start again.
    """
    digest = hashlib.blake2b(f"{seed} {trial} {parameter}".encode(), digest_size=4).digest()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return SAMPLERS[name](int.from_bytes(digest))
