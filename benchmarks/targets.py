"""The targets of ``compare.py``. Ratios are a peer's time / ours, so above 1 mlpkit is faster."""

from __future__ import annotations

SHAPES = ((50, 32), (128, 128), (50, 1000), (256, 1000), (1024, 256), (2048, 1000))
"""Units of each hidden layer and examples of a minibatch."""

SGD_AGAINST_BEST_PEER = dict(zip(SHAPES, (1.5, 1.25, 1.25, 1.05, 1.03, 1.05), strict=True))
SGD_AGAINST_PYTORCH = {**dict.fromkeys(SHAPES, 1.25), (50, 32): 3.0, (50, 1000): 1.4}
ADAM_AGAINST_PYTORCH = dict.fromkeys(SHAPES, 1.15)
ADAM_AGAINST_JAX = dict.fromkeys(SHAPES, 1.0)
SHARE_OF_LIMIT = {(50, 32): 0.6, (50, 1000): 0.6, (256, 1000): 0.85, (1024, 256): 0.92, (2048, 1000): 0.95}
"""Matrix products alone / whole step with plain gradient descent."""

ACTIVATION_AGAINST_PYTORCH, ACTIVATION_AGAINST_JAX = 1.6, 1.3
"""A step with any activation, and with dropout or a normalization."""

PREDICTION_AGAINST_ONNXRUNTIME = {50: {1: 1.1, 10_000: 1.1}, 256: {1: 1.1, 10_000: 1.2}, 1024: {1: 1.1, 10_000: 1.5}}
"""By units of each hidden layer and rows of a call."""

LENET_AGAINST_PYTORCH = 1.25
"""A step, at every size of minibatch."""

FAST_SECONDS, ACCURATE_SECONDS = 0.45, 4.0
"""From process start to metrics written."""
FAST_ACCURACY, ACCURATE_ACCURACY = 0.98, 0.99
"""Mean over the seeds 0 to 4, on the test set."""
FAST_SHARE_OF_PYTORCH = 0.5
"""Our whole run / PyTorch's time from process start to the end of its first step."""
ACCURATE_AGAINST_PYTORCH = 2.0
"""The same recipe in whole processes."""
