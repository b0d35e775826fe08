"""Times both layers against PyTorch's: a training pass, forward and backward, on one thread.

python speed.py [ROUNDS]
"""

import sys
from timeit import repeat

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from windows_mlpkit.conv1d import Conv1d
from windows_mlpkit.gru import Gru

from mlpkit.testing import standalone

SHAPES = ((32, 24, 2, 32), (32, 24, 16, 64), (128, 24, 16, 128), (128, 96, 16, 256))
"""Rows, steps, channels, and units or filters."""


def our_pass(layer, x, dy):
    """Return what sends x forward and dy back."""
    layer = standalone(layer, x.shape[1:], dtype=np.float32)

    def go():
        layer.forward(x)
        layer.backward(dy.copy())

    return go


def their_pass(module, x, dy, output):
    """Return the same for a module of PyTorch."""
    x, dy = torch.tensor(x, requires_grad=True), torch.tensor(dy)

    def go():
        x.grad = None
        module.zero_grad()
        output(module(x)).backward(dy)

    return go


def sides(rows, steps, channels, width):
    """Return a pass of each layer, ours first."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, steps, channels)).astype(np.float32)
    last = rng.normal(size=(rows, width)).astype(np.float32)
    every = rng.normal(size=(rows, steps, width)).astype(np.float32)
    gru = torch.nn.GRU(channels, width, batch_first=True)
    conv = torch.nn.Conv1d(channels, width, 5, padding=2)
    swapped = [np.ascontiguousarray(values.swapaxes(1, 2)) for values in (x, every)]
    return {
        "Gru": (our_pass(Gru(width), x, last), their_pass(gru, x, last, lambda found: found[0][:, -1])),
        "Conv1d": (our_pass(Conv1d(width, 5, padding=2), x, every), their_pass(conv, *swapped, lambda found: found)),
    }


def main(rounds=60):
    """Print the least time of each side."""
    torch.set_num_threads(1)
    print("| layer | rows, steps, channels, width | ms | PyTorch, ms | PyTorch / ours |")
    print("| --- | --- | ---: | ---: | ---: |")
    with threadpool_limits(1):
        for shape in SHAPES:
            for name, pair in sides(*shape).items():
                ours, theirs = (1000 * min(repeat(side, number=1, repeat=rounds)) for side in pair)
                print(f"| `{name}` | {', '.join(map(str, shape))} | {ours:.2f} | {theirs:.2f} | {theirs / ours:.2f} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
