"""What mlpkit is to reach. Ratios are a peer's time / ours, so above 1 we are ahead."""

from __future__ import annotations

SHAPES = ((50, 32), (128, 128), (50, 1000), (256, 1000), (1024, 256), (2048, 1000))
"""Units of each hidden layer and examples of a minibatch."""

SGD_AGAINST_BEST_PEER = {
    (50, 32): 1.5,
    (128, 128): 1.25,
    (50, 1000): 1.25,
    (256, 1000): 1.05,
    (1024, 256): 1.03,
    (2048, 1000): 1.05,
}
SGD_AGAINST_PYTORCH = {**dict.fromkeys(SHAPES, 1.25), (50, 32): 3.0, (50, 1000): 1.4}
ADAM_AGAINST_PYTORCH = dict.fromkeys(SHAPES, 1.15)
ADAM_AGAINST_JAX = dict.fromkeys(SHAPES, 1.0)
SHARE_OF_LIMIT = {(50, 32): 0.6, (50, 1000): 0.6, (256, 1000): 0.85, (1024, 256): 0.92, (2048, 1000): 0.95}
"""Matrix products alone / whole step with plain gradient descent."""

ACTIVATION_AGAINST_PYTORCH, ACTIVATION_AGAINST_JAX = 1.6, 1.3
"""A step with any activation, and with dropout or a normalization."""

PREDICTION_AGAINST_ONNXRUNTIME = {
    (50, 1): 1.1,
    (256, 1): 1.1,
    (1024, 1): 1.1,
    (50, 10_000): 1.1,
    (256, 10_000): 1.2,
    (1024, 10_000): 1.5,
}
"""Units of each hidden layer and rows of a call."""

LENET_AGAINST_PYTORCH = {"step": 1.25, "convolution": 1.1}
"""The whole step, and each convolution alone, at every size of minibatch."""

JOB_AGAINST_NOTEBOOK = 5.0
"""Whole processes."""
MEMORY_ABOVE_NUMPY = 200.0
"""Megabytes."""
FAST_SECONDS = 0.45
"""From process start to metrics written."""
FAST_SHARE_OF_PYTORCH = 0.5
"""That time / PyTorch's from process start to the end of its first step."""
FAST_ACCURACY = 0.98
"""Mean over the seeds 0 to 4, on the test set."""

ACCURATE_SECONDS = 4.0
"""From process start to metrics written."""
ACCURATE_AGAINST_PYTORCH = 2.0
"""The same recipe in whole processes."""
ACCURATE_ACCURACY = 0.99
"""Mean over the seeds 0 to 4, on the test set."""
