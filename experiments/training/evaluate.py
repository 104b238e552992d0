"""The loss on held-out tokens."""

import numpy as np
import torch
from torch.nn import functional as F

from experiments.data.batches import validation_windows
from gpt_zoo.model import GPTModel


@torch.inference_mode()
def measure_validation_loss(model: GPTModel, tokens: np.ndarray, batch_size: int, precision: str) -> float:
    """Mean cross-entropy over `tokens`, in nats: every token but the first is predicted once.

    The tokens are cut into windows of the model's context, so variants of any context predict the same ones.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    for inputs, targets in validation_windows(tokens, model.config.context_length, batch_size):
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            logits = model(torch.from_numpy(inputs).to(device))
        wanted = torch.from_numpy(targets).to(device).flatten()
        total += F.cross_entropy(logits.float().flatten(0, 1), wanted, reduction="sum").item()
        count += wanted.numel()
    model.train(was_training)
    return total / count
