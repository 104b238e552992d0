"""The learning rate that a width asks for: a rule, where nobody gives a number."""

from experiments.training.config import TrainingConfig

KNOWN_RATE, KNOWN_WIDTH = 6e-4, 768
"""Of the smallest GPT-3."""
LION_SHARE = 0.2
"""Of AdamW's learning rate: between the third and the tenth that its paper takes."""


def rate_by_width(width: int, optimizer: str = "adamw") -> float:
    """The peak that is taken for a model unless somebody knows better: 6e-4 x 768 / width; a fifth for Lion.

    GPT-3's value for its smallest model, falling with 1/width as steps of hidden matrices must under Adam.
    Against all rows of GPT-3's table the rule is, for widths 768, 1024, 1536, 2048, 2560, 4096, 5140 and
    12288: 1.00, 1.50, 1.20, 1.13, 1.13, 0.94, 0.90 and 0.63 times their 6, 3, 2.5, 2, 1.6, 1.2, 1 and 0.6e-4.
    It is a place to start a sweep from: depth, batch and length of the training move the best value too.

    Sources: Brown et al. 2020, table 2.1, arXiv:2005.14165; Yang et al. 2022, "Tensor Programs V", table 8,
        arXiv:2203.03466; Lion: Chen et al. 2023, section 5, arXiv:2302.06675.

    Args:
        width: `emb_dim`.
    """
    return KNOWN_RATE * KNOWN_WIDTH / width * (LION_SHARE if optimizer == "lion" else 1.0)


def rule_of(training: TrainingConfig, width: int) -> float:
    """The rule's rate for a training of a model that is `width` wide.

    Under mup it is that of the base width: what follows from the width is in the steps of each matrix there.
    """
    return rate_by_width(
        training.base_width if training.parametrization == "mup" else width, training.optimizer
    )


def settle_by_width(training: TrainingConfig, width: int) -> TrainingConfig:
    """The training with `learning_rate: by_width` as a number; one without comes back as it is."""
    if training.learning_rate != "by_width":
        return training
    return training.model_copy(update={"learning_rate": rule_of(training, width)})
