"""The loss on held-out tokens."""

import numpy as np
import torch

from experiments.data.batches import validation_windows
from gpt_zoo.model import GPTModel
from gpt_zoo.steps.loss import summed_loss


@torch.inference_mode()
def measure_validation_loss(
    model: GPTModel, tokens: np.ndarray, batch_size: int, autocast: bool = False, chunks: int = 1
) -> float:
    """Mean cross-entropy over `tokens`, in nats: every token but the first is predicted once.

    The tokens are cut into windows of the model's context, so variants of any context predict the same ones.

    Args:
        batch_size: Windows that go through the model at once.
        autocast, chunks: As for `gpt_zoo.steps.loss.next_token_loss`.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    for windows, wanted in validation_windows(tokens, model.config.context_length, batch_size):
        inputs, targets = (torch.from_numpy(array).to(device) for array in (windows, wanted))
        total += summed_loss(model, inputs, targets, autocast, min(chunks, targets.numel())).item()
        count += targets.numel()
    model.train(was_training)
    return total / count
