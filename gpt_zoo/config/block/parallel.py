"""The parallel block, declared."""

from typing import ClassVar, Literal

from gpt_zoo.config.block.base import BlockConfig


class ParallelBlockConfig(BlockConfig):
    """Attention and feed-forward read the same residual stream, and both are added to it."""

    kind: Literal["parallel"] = "parallel"
    module: ClassVar[str] = "gpt_zoo.layers.block:ParallelBlock"
    source: ClassVar[str] = (
        'Wang and Komatsuzaki 2021, "GPT-J-6B"; Chowdhery et al. 2022, "PaLM", section 2, arXiv:2204.02311'
    )

    shared_norm: bool = True
    """Whether one norm serves both, as in GPT-J; else each has its own, as in Black et al. 2022,
    "GPT-NeoX-20B", arXiv:2204.06745."""

    def norms(self) -> int:
        """One, or one each."""
        return 1 if self.shared_norm else 2
