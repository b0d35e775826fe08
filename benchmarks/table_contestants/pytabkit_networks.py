"""pytabkit's RealMLP and TabM."""

from __future__ import annotations

import contextlib
import io
import logging
import pickle
import warnings
from typing import TYPE_CHECKING, Any

import pytabkit
import torch

from table_contestants.real_table import Fitted

if TYPE_CHECKING:
    from table_contestants.real_table import RealTable


def estimator(table: RealTable, network: str, seed: int, threads: int = 1, **parameters: Any) -> Any:
    """Return pytabkit's estimator of a network, such as ``RealMLP_TD``, with more parameters if given."""
    torch.set_num_threads(threads)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    kind = "Classifier" if table.has_classes else "Regressor"
    model = getattr(pytabkit, f"{network}_{kind}")
    return model(device="cpu", random_state=seed, n_threads=threads, verbosity=0, **parameters)


def fit(table: RealTable, model: Any) -> None:
    """Fit an estimator on the training rows, with those of validation to choose the epoch by."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = (table.inputs("train"), table.targets("train"), table.inputs("validation"), table.targets("validation"))
        model.fit(*rows, cat_col_names=table.categorical)


def fit_network(table: RealTable, network: str, seed: int, threads: int, *, flush: bool) -> Fitted:
    """Fit pytabkit's network; ``flush`` sets denormal numbers to zero, which pytabkit doesn't do by itself."""
    model = estimator(table, network, seed, threads)
    torch.set_flush_denormal(flush)
    fit(table, model)

    def predict() -> Any:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.predict(table.inputs("test"))

    return Fitted(predict, lambda: len(pickle.dumps(model)))
