"""The network of the package tabm, trained as its example does it."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.preprocessing import OrdinalEncoder, QuantileTransformer
from tabm import TabM
from torch.nn import functional

from table_contestants.real_table import SPLITS, Fitted

if TYPE_CHECKING:
    from table_contestants.real_table import RealTable

RATE, DECAY = 2e-3, 3e-4
BATCH = 256
PATIENCE = 16
ROWS_AT_ONCE = 8192


class Rows:
    """The rows of a table as tensors: numbers scaled to normal ones by rank, categories as their positions."""

    def __init__(self, table: RealTable) -> None:
        self.has_classes = table.has_classes
        inputs = {split: table.inputs(split) for split in SPLITS}
        numbers = [name for name in inputs["train"] if name not in table.categorical]
        raw = {split: frame[numbers].to_numpy(np.float32) for split, frame in inputs.items()}
        self.numbers = {split: torch.from_numpy(rows) for split, rows in self.ranked(raw).items()} if numbers else {}
        encoder = OrdinalEncoder(
            categories=[list(inputs["train"][name].cat.categories) for name in table.categorical]
        ).fit(inputs["train"][table.categorical])
        self.counts = [len(known) for known in encoder.categories_]
        self.categories = {
            split: torch.from_numpy(encoder.transform(frame[table.categorical]).astype(np.int64))
            for split, frame in inputs.items()
            if table.categorical
        }
        if self.has_classes:
            self.targets = {split: torch.from_numpy(table.class_numbers(split)) for split in SPLITS}
        else:
            values = {split: torch.from_numpy(table.targets(split).astype(np.float32)) for split in SPLITS}
            self.mean, self.std = values["train"].mean(), values["train"].std(correction=0)
            self.targets = {split: (t - self.mean) / self.std for split, t in values.items()}

    @staticmethod
    def ranked(rows: dict[str, Any]) -> dict[str, Any]:
        """Return numbers as normal ones, by rank among those of training."""
        train = rows["train"]
        transformer = QuantileTransformer(
            n_quantiles=max(min(len(train) // 30, 1000), 10), output_distribution="normal", subsample=10**9
        )
        transformer.fit(train + np.random.default_rng(0).normal(0, 1e-5, train.shape).astype(train.dtype))
        return {split: transformer.transform(numbers) for split, numbers in rows.items()}

    def inputs(self, split: str, places: Any) -> tuple[Any, Any]:
        """Return numbers and categories of rows."""
        return tuple(kind[split][places] if kind else None for kind in (self.numbers, self.categories))


def fit_tabm(table: RealTable, seed: int, threads: int) -> Fitted:
    """Train TabM."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)
    rows = Rows(table)
    model = TabM.make(
        n_num_features=next(iter(rows.numbers.values())).shape[1] if rows.numbers else 0,
        cat_cardinalities=rows.counts,
        d_out=len(table.classes) if table.has_classes else 1,
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    best, best_state, waited = -math.inf, copy.deepcopy(model.state_dict()), 0
    while waited < PATIENCE:
        train_epoch(model, optimizer, rows)
        score = validation_score(model, rows)
        if score > best:
            best, best_state, waited = score, copy.deepcopy(model.state_dict()), 0
        else:
            waited += 1
    model.load_state_dict(best_state)

    def predict() -> Any:
        predicted = mean_predictions(model, rows, "test")
        if table.has_classes:
            return np.array(table.classes)[predicted.argmax(dim=1).numpy()]
        return (predicted[:, 0] * rows.std + rows.mean).numpy()

    return Fitted(predict, lambda: sum(value.nbytes for value in best_state.values()))


def train_epoch(model: Any, optimizer: Any, rows: Rows) -> None:
    """Take a step on each minibatch: the mean of the members' losses."""
    model.train()
    targets = rows.targets["train"]
    for places in torch.randperm(len(targets)).split(BATCH):
        y = model(*rows.inputs("train", places)).flatten(0, 1)
        t = targets[places].repeat_interleave(model.k)
        loss = functional.cross_entropy(y, t) if rows.has_classes else functional.mse_loss(y[:, 0], t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.inference_mode()
def mean_predictions(model: Any, rows: Rows, split: str) -> Any:
    """Return the mean of the members' probabilities or values, shape (rows, outputs)."""
    model.eval()
    parts = torch.arange(len(rows.targets[split])).split(ROWS_AT_ONCE)
    y = torch.cat([model(*rows.inputs(split, places)) for places in parts])
    return (y.softmax(dim=-1) if rows.has_classes else y).mean(dim=1)


def validation_score(model: Any, rows: Rows) -> float:
    """Return the accuracy, or the mean squared error with its sign changed."""
    predicted, t = mean_predictions(model, rows, "validation"), rows.targets["validation"]
    if rows.has_classes:
        return float((predicted.argmax(dim=1) == t).float().mean())
    return -float(functional.mse_loss(predicted[:, 0], t))
