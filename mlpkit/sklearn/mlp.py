"""Multilayer perceptrons with scikit-learn's parameters."""

from __future__ import annotations

import sys
import warnings
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from mlpkit.sklearn.network_estimator import NetworkEstimator, rows_with_weight

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mlpkit.jobs.train import Run

ACTIVATIONS: Final = {"identity": [], "logistic": ["Sigmoid"], "tanh": ["Tanh"], "relu": ["Relu"], "gelu": ["Gelu"]}
NORMS: Final = {None: [], "batch": ["BatchNorm"], "layer": ["LayerNorm"]}


@dataclass(repr=False, eq=False)
class _Mlp(NetworkEstimator):
    """A multilayer perceptron, with layers and training from scikit-learn's parameters."""

    hidden_layer_sizes: Sequence[int] | int = (100,)
    activation: str = "relu"
    _: KW_ONLY
    solver: str | Mapping[str, Any] = "adam"
    alpha: float = 0.0001
    batch_size: int | str = "auto"
    learning_rate_init: Any = 0.001
    max_iter: int = 200
    tol: float = 1e-4
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    random_state: Any = None
    warm_start: bool = False
    dropout: float = 0.0
    norm: str | None = None
    dtype: str = "float32"
    _monitor: ClassVar[str]
    _predicts: ClassVar[str]

    @property
    def _dtypes(self) -> Any:
        return np.float64 if self.dtype == "float64" else np.float32  # converted once, not per minibatch

    def _train(
        self,
        X: Any,
        t: NDArray[Any],
        weights: NDArray[Any] | None,
        end: list[Any],
        *,
        resume: bool,
        epochs: int | None = None,
    ) -> Run:
        """Train a network with these last layers, for some epochs or at most ``max_iter``, and return the run."""
        from mlpkit.sklearn.training import LossCurve  # noqa: PLC0415 - as a fit does

        watching = self.early_stopping and epochs is None
        held_out = self.validation_fraction if watching else 0.0
        rows = len(t) - round(held_out * len(t))
        batch = min(200 if self.batch_size == "auto" else int(self.batch_size), rows)
        steps, passes = -(-rows // batch), epochs or self.max_iter
        curve = LossCurve(steps, self.tol, sys.maxsize if watching else self.n_iter_no_change)
        total_weight = batch if weights is None else batch * float(weights.mean())
        training = {"optimizer": self._optimizer(total_weight), "batch_size": batch, "epochs": passes}
        training |= self._early_stopping() if watching else {"evaluate_every": passes * steps}
        target: dict[str, Any] = {"predict": self._predicts}
        if hasattr(self, "classes_"):
            target["classes"] = list(range(len(self.classes_)))
        seed = self._seed()
        run = self._train_network(
            (X, t) if weights is None else (X, t, weights),
            {
                "name": type(self).__name__,
                "seed": seed,
                "dtype": self.dtype,
                "layers": [*self._hidden_layers(), *end],
            },
            {**training, **target, "split_seed": seed},
            resume=resume,
            held_out=held_out,
            callbacks=[curve],
            evaluated=["validation"] if watching else [],
        )
        self.loss_curve_ = curve.curve if epochs is None else [*getattr(self, "loss_curve_", []), *curve.curve]
        self.n_iter_ = len(self.loss_curve_)
        self.loss_ = self.loss_curve_[-1]
        self.n_layers_ = 2 + len(self._sizes())
        if epochs is None and self.n_iter_ == self.max_iter and not run.ended and self.n_iter_no_change < self.max_iter:
            message = f"training ended after max_iter={self.max_iter} epochs, and the loss was still falling"
            # Without a file, whose source line Python would print below the warning: a search fits many times.
            warnings.warn_explicit(message, ConvergenceWarning, f"mlpkit.sklearn.{type(self).__name__}", 0)
        return run

    def _early_stopping(self) -> dict[str, Any]:
        """Return the keys of ``training`` that end it when predictions of held-out examples stop improving."""
        monitor = self._monitor
        early_stopping = {"metric": monitor, "patience": self.n_iter_no_change, "minimum_change": self.tol}
        metrics = [monitor] if monitor != "loss" else []
        return {"metrics": metrics, "early_stopping": early_stopping, "best_weights": monitor}

    def _sizes(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        return [int(sizes)] if isinstance(sizes, int | np.integer) else [int(size) for size in sizes]

    def _hidden_layers(self) -> list[Any]:
        if self.norm not in NORMS:
            raise ValueError(f"norm={self.norm!r} is unknown; expected None, 'batch' or 'layer'")
        activation = ACTIVATIONS.get(self.activation, [self.activation])
        dropout = [{"Dropout": {"rate": self.dropout}}] if self.dropout else []
        return [layer for size in self._sizes() for layer in (_affine(size), *NORMS[self.norm], *activation, *dropout)]

    def _optimizer(self, batch: float) -> Any:
        """Return the optimizer, with the weight decay of the penalty alpha / (2 n) Σ W² for n rows of a minibatch.

        If rows have weights, n is the average sum of a minibatch's weights.
        """
        if not isinstance(self.solver, str):
            return self.solver
        rate = {"learning_rate": self.learning_rate_init}
        if self.solver == "sgd":
            return {"sgd": rate | {"momentum": 0.9, "nesterov": True, "weight_decay": self.alpha / batch}}
        if self.solver == "adam" and self.alpha:
            return {"adamw": rate | {"weight_decay": self.alpha / batch}}
        return {self.solver: rate}


@dataclass(repr=False, eq=False)
class MLPClassifier(ClassifierMixin, _Mlp):  # type: ignore[misc]
    """A multilayer perceptron for classification.

    Args:
        hidden_layer_sizes: units of each hidden layer.
        activation: ``relu``, ``tanh``, ``logistic``, ``gelu``, ``identity``, or the name of one of mlpkit's layers.
        solver: ``adam``, ``sgd`` (momentum 0.9), another optimizer's name, or a mapping from a name to parameters.
        alpha: strength of the L2 penalty, divided by the rows of a minibatch; with ``adam`` it is decoupled (AdamW).
        batch_size: rows of a minibatch; ``auto`` for 200, or all rows if there are fewer.
        learning_rate_init: the learning rate, or one of mlpkit's schedules, such as ``{"cosine": {"initial": 0.01}}``.
        max_iter: the largest number of passes over the examples.
        tol: the least decrease of the loss that counts as an improvement; with early stopping, the least increase of
            the score.
        early_stopping: whether to hold out examples, stop when their accuracy stops improving, and keep the best
            weights.
        validation_fraction: share of the examples to hold out.
        n_iter_no_change: consecutive epochs without improvement after which training ends.
        random_state: seed of weights, minibatches, dropout and the choice of held-out examples.
        warm_start: whether ``fit`` continues from the weights and the optimizer's state of the previous call.
        dropout: share of each hidden layer's outputs that is set to zero in training.
        norm: ``batch`` or ``layer`` normalization before each activation; None for no normalization.
        dtype: the type to compute in, ``float32`` or ``float64``. In float32, a weighted row and a repeated row give
            the same result to about six digits, so one of scikit-learn's checks fails, which requires seven:
            ``check_sample_weight_equivalence_on_dense_data``. In float64 all checks pass.
        class_weight: weights of classes by label, or ``balanced``; None for equal weights.
    """

    _monitor = "accuracy"
    _predicts = "classes"

    _: KW_ONLY
    class_weight: Mapping[Any, float] | str | None = None

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network.

        Args:
            X: inputs, an array or a data frame, whose text columns are one-hot encoded.
            y: the class of each row, of any type.
            sample_weight: the weight of each row in the loss and in the score; None for equal weights.
        """
        X, y, weights = rows_with_weight(X, y, sample_weight)
        resume = self.warm_start and hasattr(self, "network_")
        X, numbers, classes = self._numbered(X, y, None, reset=not resume)
        if resume and not np.array_equal(classes, self.classes_):
            raise ValueError(f"warm_start needs the classes of the last fit, {self.classes_}; y has {classes}")
        self.classes_ = classes
        self._train(X, numbers, weights, self._end(numbers, weights), resume=resume)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Pass over some examples once, starting from the weights and the optimizer's state of the previous call.

        Args:
            X: inputs.
            y: the class of each row.
            classes: all classes; required at the first call.
            sample_weight: the weight of each row in the loss and in the score; None for equal weights.
        """
        X, y, weights = rows_with_weight(X, y, sample_weight)
        first = not hasattr(self, "network_")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if not first and classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes={classes!r} are not those of the last call, {self.classes_}")
        known = np.unique(classes) if first else self.classes_
        X, numbers, self.classes_ = self._numbered(X, y, known, reset=first)
        self._train(X, numbers, weights, self._end(numbers, weights), resume=not first, epochs=1)
        return self

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of each class, in the order of ``classes_``."""
        return self._outputs(X)

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithm of the probability of each class."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))  # type: ignore[no-any-return]

    def _numbered(self, X: Any, y: Any, classes: Any, *, reset: bool) -> tuple[Any, NDArray[Any], NDArray[Any]]:
        """Return inputs, the number of each row's class, and the classes."""
        X, y = self._validated(X, y, reset=reset)
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        present, numbers = np.unique(y, return_inverse=True)
        if classes is None:
            return X, numbers, present
        if not np.isin(present, classes).all():
            raise ValueError(f"y has classes {np.setdiff1d(present, classes)}, which are not in classes={classes}")
        return X, np.searchsorted(classes, y), classes

    def _end(self, numbers: NDArray[Any], weights: NDArray[Any] | None) -> list[Any]:
        """Return the last layer and the loss, with the weights of the classes."""
        count = len(self.classes_)
        of_classes: Any = self.class_weight
        if of_classes is not None and not (weights is not None and isinstance(of_classes, str)):
            found, present = np.ones(count), np.unique(numbers)  # partial_fit may get rows without a class
            found[present] = compute_class_weight(of_classes, classes=self.classes_[present], y=self.classes_[numbers])
            of_classes = found.tolist()
        return [_affine(count), {"SoftmaxWithLoss": {} if of_classes is None else {"class_weights": of_classes}}]


class MLPRegressor(RegressorMixin, _Mlp):  # type: ignore[misc]
    """A multilayer perceptron for regression, trained on standardized targets.

    The other parameters are those of ``MLPClassifier``, without ``class_weight``.

    Args:
        tol: the least decrease of the loss that counts as an improvement, in units of the targets' variance.
        early_stopping: whether to hold out examples, stop when their loss stops improving, and keep the best weights.
    """

    _monitor = "loss"
    _predicts = "values"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network.

        Args:
            X: inputs, an array or a data frame, whose text columns are one-hot encoded.
            y: one or several numbers per row.
            sample_weight: the weight of each row in the loss and in the score; None for equal weights.
        """
        return self._fit(X, y, sample_weight, resume=self.warm_start and hasattr(self, "network_"))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Pass over some examples once, starting from the weights and the optimizer's state of the previous call.

        The targets of the first call determine how targets are standardized.

        Args:
            X: inputs.
            y: one or several numbers per row.
            sample_weight: the weight of each row in the loss and in the score; None for equal weights.
        """
        return self._fit(X, y, sample_weight, resume=hasattr(self, "network_"), epochs=1)

    def _predictions(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Undo the standardization of targets."""
        values: NDArray[Any] = outputs * self._target_std + self._target_mean
        return values[:, 0] if self._one_number else values

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, resume: bool, epochs: int | None = None) -> Self:
        X, y, weights = rows_with_weight(X, y, sample_weight)
        X, y = self._validated(X, y, reset=not resume, numbers=True)
        y = np.asarray(y, np.float64)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        columns = y[:, None] if y.ndim == 1 else y
        if not resume:
            self._one_number = y.ndim == 1
            self._target_mean = np.average(columns, axis=0, weights=weights)
            std = np.sqrt(np.average((columns - self._target_mean) ** 2, axis=0, weights=weights))
            self._target_std = np.where(std > 0, std, 1.0)
        scaled = (columns - self._target_mean) / self._target_std
        end = [_affine(columns.shape[1]), "MeanSquaredError"]
        self._train(X, scaled, weights, end, resume=resume, epochs=epochs)
        return self


def _affine(units: int) -> dict[str, Any]:
    """Return a layer with the same distribution of initial weights as in scikit-learn."""
    return {"Affine": {"units": units, "weights": "glorot_uniform"}}
