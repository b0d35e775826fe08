"""Writes ``tabm.json``: networks of the package tabm 0.0.3 before and after 100 steps, and their minibatches' losses.

Run it where tabm and torch are installed: ``python tabm_reference.py > tabm.json``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import torch
from tabm import TabM

FEATURES, WIDTH, MEMBERS, ROWS, STEPS, CLASSES = 4, 6, 3, 7, 100, 3


def minibatch(step: int, outputs: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs and targets; the test draws the same."""
    rng = np.random.default_rng(step)
    x = torch.from_numpy(rng.normal(size=(ROWS, FEATURES)))
    return x, torch.from_numpy(rng.integers(0, CLASSES, ROWS) if outputs > 1 else rng.normal(size=(ROWS, 1)))


def loss_of(y: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Return the mean of the members' losses."""
    rows, targets = y.flatten(0, 1), t.repeat_interleave(MEMBERS, dim=0)
    function = torch.nn.functional.mse_loss if t.is_floating_point() else torch.nn.functional.cross_entropy
    return function(rows, targets)


def predictions(y: torch.Tensor) -> torch.Tensor:
    """Return the mean of the members' probabilities or values."""
    return (y.softmax(dim=-1) if y.shape[-1] > 1 else y).mean(dim=1)


def plain(model: torch.nn.Module) -> dict[str, Any]:
    """Return all parameters as lists."""
    return {name: parameter.tolist() for name, parameter in model.named_parameters()}


def trained(arch_type: str, outputs: int) -> dict[str, Any]:
    """Return what a network was, what its losses were, and what it is after training."""
    torch.manual_seed(0)
    size = {"n_blocks": 3, "d_block": WIDTH, "dropout": 0.0, "k": MEMBERS, "arch_type": arch_type}
    start = None if arch_type == "tabm-packed" else "random-signs"
    model = TabM(n_num_features=FEATURES, d_out=outputs, start_scaling_init=start, **size).double()
    found = {"before": plain(model), "losses": []}
    decay = [p for name, p in model.named_parameters() if not name.endswith("bias")]
    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": biases, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.01)
    for step in range(STEPS):
        x, t = minibatch(step, outputs)
        optimizer.zero_grad()
        loss = loss_of(model(x), t)
        loss.backward()
        optimizer.step()
        found["losses"].append(loss.item())
    model.eval()
    return {**found, "after": plain(model), "predictions": predictions(model(minibatch(STEPS, outputs)[0])).tolist()}


def main() -> None:
    """Write the networks."""
    cases = {f"{arch} {outputs}": trained(arch, outputs) for arch in ("tabm", "tabm-mini") for outputs in (1, CLASSES)}
    json.dump(cases, sys.stdout)


if __name__ == "__main__":
    main()
