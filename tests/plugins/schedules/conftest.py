"""What the tests of schedules share: the learning rates of PyTorch's schedulers."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def learning_rates():
    """Return the learning rates that a scheduler of PyTorch sets before each of a hundred steps."""
    torch = pytest.importorskip("torch")

    def rates(first, make):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=first)
        scheduler = make(torch.optim.lr_scheduler, optimizer)
        found = []
        for _ in range(100):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return found

    return rates
