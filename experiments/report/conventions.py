"""What each number of a report means: the same words in every report."""

CONVENTIONS = (
    (
        "Front",
        "An architecture is on the front if no other one is at least as good in every objective and better "
        "in one. Only trainings that were completed count, with the mean over their seeds.",
    ),
    (
        "Loss",
        "Cross-entropy in nats per token. The validation loss is taken on a fixed held-out part of the text, "
        "the same tokens for every variant. Perplexity is its exponential.",
    ),
    (
        "Bits per byte",
        "The validation loss per byte of text instead of per token: the number to compare across tokenizers, "
        "whose tokens differ in length.",
    ),
    (
        "Parameters",
        "Unique tensors without buffers; tied ones count once. Non-embedding parameters leave out the token "
        "table, the position table and an output head with weights of its own.",
    ),
    (
        "FLOPs",
        "Two for each multiply-accumulate, of matrix multiplications only: norms, activations, softmax, "
        "biases and look-ups are not counted. Forward FLOPs are those of one sequence of the full context "
        "length, with logits at all positions and attention counted in full, T × T; the causal count takes "
        "T(T+1)/2 pairs. Training costs three forward passes for every sequence seen.",
    ),
    (
        "Peak memory",
        "Measured: the most that the training added to its process (on a CPU) or allocated on the device "
        "(CUDA). That of the process includes the interpreter and its libraries. Tracked memory is what "
        "torch itself had handed out at once: of the whole training on CUDA, of one early step on a CPU. "
        "Predicted memory was computed before the training: the peak of a step, of weights, gradients, the "
        "optimizer's state and what is saved for the backward pass.",
    ),
    (
        "KV cache",
        "Bytes that one more token adds to the keys and values kept while generating.",
    ),
    (
        "Time",
        "Seconds of the training steps, without building the model and evaluating it. Time, speed and memory "
        "are measured: they vary from run to run and hold for this machine. Building is all "
        "before the first step; wall time is that of the whole trial.",
    ),
    (
        "Speed",
        "FLOP/s are the training FLOPs over the seconds of the steps. MFU, model FLOP utilisation, is their "
        "share of what this device was measured to reach in large matrix products of the training's "
        "precision; of what its maker publishes, where so said. What is computed twice, such as recomputed "
        "layers, does not count.",
    ),
)
