"""Every point of a space, once."""

import json
import random
from collections.abc import Iterator
from typing import Any

from optuna.study import Study

from experiments.joint_space import JointSpace


def grid_points(space: JointSpace, seed: int, study: Study) -> Iterator[dict[str, Any]]:
    """The points of `space` which `study` does not have yet, in an order that the seed decides.

    The order is random, so that a grid which is cut short has seen a bit of everything.

    Raises:
        ValueError: the space is endless.
    """
    points = list(space.enumerate())
    random.Random(seed).shuffle(points)
    known = {canonical(trial.system_attrs.get("fixed_params", trial.params)) for trial in study.trials}
    return (point for point in points if canonical(point) not in known)


def canonical(point: dict[str, Any]) -> str:
    """The same text for equal parameters."""
    return json.dumps(point, sort_keys=True)
