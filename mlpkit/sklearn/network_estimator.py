"""The base class of the estimators: the network, its training, and its predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing, check_consistent_length, check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mlpkit.jobs.train import Run
    from mlpkit.network.sequential import Sequential
    from mlpkit.training.update import OptimizerState

LARGEST_SEED: Final = 2**31 - 1


class NetworkEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The base class of the estimators: the network, its training, and its predictions."""

    network_: Sequential
    _optimizer_state: OptimizerState
    classes_: NDArray[Any]

    @property
    def _dtypes(self) -> Any:
        """The accepted types of inputs; others are converted to the first."""
        return (np.float64, np.float32)

    def save(self, path: str | Path) -> None:
        """Save the trained network as a model file, for ``mlpkit.load_model``.

        Args:
            path: the file, such as ``model.safetensors``.

        Raises:
            NotFittedError: the estimator is not fitted.
            StorageError: the file can't be written.
        """
        check_is_fitted(self, "network_")
        self.network_.save(path)

    def _validated(self, X: Any, y: Any = "no_validation", *, reset: bool, numbers: bool = False) -> tuple[Any, Any]:
        """Validate inputs and targets; inputs become an array, unless they are a frame with text columns."""
        if has_texts(X):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X, y
        accepted = {"reset": reset, "dtype": self._dtypes}
        if isinstance(y, str):
            return validate_data(self, X, **accepted), None
        return validate_data(  # type: ignore[no-any-return]
            self, X, y, **accepted, multi_output=True, y_numeric=numbers
        )

    def _outputs(self, X: Any) -> NDArray[Any]:
        """Return the network's predictions."""
        check_is_fitted(self, "network_")
        rows, _ = self._validated(X, reset=False)
        encoder = self.network_.encoder
        assert encoder is not None
        return self.network_.predict(encoder.encode(rows)).astype(np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row; or one number per row, or several, such as quantiles."""
        return self._predictions(self._outputs(X))

    def _predictions(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Convert the network's predictions to those that ``predict`` returns; by default, of classes."""
        return self.classes_[outputs.argmax(axis=1)]  # type: ignore[no-any-return]

    def _train_network(
        self,
        data: tuple[Any, ...],
        top_level: Mapping[str, Any],
        options: Mapping[str, Any],
        *,
        resume: bool,
        **how: Any,
    ) -> Run:
        """Train a network or an ensemble, keep it, and return the run.

        With ``resume``, the current network and optimizer state are trained further. The other arguments are those of
        ``training.train``.
        """
        from mlpkit.sklearn.training import train  # noqa: PLC0415 - only a fit loads the training code
        from mlpkit.training.update import OptimizerState  # noqa: PLC0415 - for the same reason

        ensemble = top_level.get("ensemble")
        if ensemble and resume:
            raise ValueError("an ensemble can't be trained further with partial_fit or warm_start")
        if not resume:
            self._optimizer_state = OptimizerState()
        try:
            network = self.network_ if resume else None
            run = train(data, top_level, options, network=network, optimizer_state=self._optimizer_state, **how)
        except KeyboardInterrupt as interrupt:
            if not ensemble and (stopped := getattr(interrupt, "run", None)):
                self.network_ = stopped.network
            raise
        self.network_ = run.network
        return run

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(LARGEST_SEED))


def rows_with_weight(X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, NDArray[np.float64] | None]:
    """Return the rows whose weight is not 0, their targets, and their weights, or None without weights.

    Raises:
        ValueError: there isn't one weight per row, a weight is negative, or all are 0.
    """
    if sample_weight is None:
        return X, y, None
    check_consistent_length(X, y, sample_weight)
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    rows = np.flatnonzero(weights)
    if not len(rows):
        raise ValueError("sample_weight is 0 for every row; expected a positive number for at least one")
    if len(rows) == len(weights):
        return X, y, weights
    return _safe_indexing(X, rows), _safe_indexing(y, rows), weights[rows]


def has_texts(X: Any) -> bool:
    """Return whether X is a data frame with a column that isn't numeric."""
    return hasattr(X, "columns") and any(np.asarray(X[name]).dtype.kind not in "biuf" for name in X.columns)
