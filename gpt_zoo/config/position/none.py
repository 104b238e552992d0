"""No positions, declared."""

from typing import ClassVar, Literal

from gpt_zoo.config.position.base import PositionConfig


class NoPositionConfig(PositionConfig):
    """Order is known from the causal mask alone; nothing is added and no module is built."""

    kind: Literal["none"] = "none"
    source: ClassVar[str] = (
        'Haviv et al. 2022, "Transformer Language Models without Positional Encodings Still Learn '
        'Positional Information", arXiv:2203.16634'
    )
