"""What a step of training computes with: the loss, the precision of weights, the kernels of attention."""
