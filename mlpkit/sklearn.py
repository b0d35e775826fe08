"""Estimators of scikit-learn that train with mlpkit; the extra ``sklearn`` installs what they need.

The names of parameters are scikit-learn's where the meaning is the same.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import ClassifierTags, RegressorTags, check_random_state, column_or_1d, compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from mlpkit.components.callback import Callback
from mlpkit.components.target import Classes
from mlpkit.errors import UsageError, WrongUseError
from mlpkit.jobs.build import prove_layers
from mlpkit.jobs.fit import spec_in_memory
from mlpkit.jobs.run import train_spec
from mlpkit.network.shape_proof import StackError
from mlpkit.registry.registry import installed
from mlpkit.specfile.spec import Spec, load_spec
from mlpkit.training.events import Observer
from mlpkit.training.workers import available_cores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mlpkit.components.callback import TrainingView
    from mlpkit.jobs.training_job import Run
    from mlpkit.network.sequential import Sequential

ACTIVATIONS: Final = {"identity": [], "logistic": ["Sigmoid"], "tanh": ["Tanh"], "relu": ["Relu"], "gelu": ["Gelu"]}
NORMS: Final = {None: [], "batch": ["BatchNorm"], "layer": ["LayerNorm"]}
LARGEST_SEED: Final = 2**31 - 1


class _Quiet(Observer):
    """Lets warnings of the data set pass: scikit-learn has checks of its own."""


class _LossCurve(Callback):
    """Keeps the mean loss of each epoch, and ends training once it improves no more.

    Args:
        steps: steps of an epoch.
        tolerance: how much lower the loss must be to count as improved.
        patience: epochs in a row without improvement, after which training ends.
    """

    def __init__(self, steps: int, tolerance: float, patience: int) -> None:
        self.steps = steps
        self.tolerance = tolerance
        self.patience = patience
        self.curve: list[float] = []
        self.best = np.inf
        self.total = 0.0
        self.waited = 0

    def on_step(self, training: TrainingView, loss: float) -> None:
        """Add a loss, and look at the mean at the end of an epoch."""
        self.total += loss
        if training.progress.step % self.steps:
            return
        mean, self.total = self.total / self.steps, 0.0
        self.curve.append(mean)
        self.waited = 0 if mean < self.best - self.tolerance else self.waited + 1
        self.best = min(self.best, mean)
        if self.waited >= self.patience:
            training.stop(f"the loss has not improved by {self.tolerance:g} for {self.patience} epochs")


class _NetworkEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What the estimators share: a network that takes rows, and how it is trained."""

    network_: Sequential
    classes_: NDArray[Any]

    def save(self, path: str | Path) -> None:
        """Save the trained network as a model file, for ``mlpkit.load_model``.

        Args:
            path: the file, such as ``model.safetensors``.

        Raises:
            NotFittedError: the estimator is not fitted.
            StorageError: the file can't be written.
        """
        check_is_fitted(self)
        self.network_.save(path)

    def _validated(self, X: Any, y: Any = "no_validation", *, reset: bool, numbers: bool = False) -> tuple[Any, Any]:
        """Return inputs as numbers, or as a frame that has columns of text; and targets, if there are any, checked."""
        if _has_texts(X):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X, y
        accepted = {"reset": reset, "dtype": (np.float64, np.float32)}
        if isinstance(y, str):
            return validate_data(self, X, **accepted), None
        return validate_data(  # type: ignore[no-any-return]
            self, X, y, **accepted, multi_output=True, y_numeric=numbers
        )

    def _outputs(self, X: Any) -> NDArray[Any]:
        """Return what the network predicts."""
        check_is_fitted(self)
        rows, _ = self._validated(X, reset=False)
        encoder = self.network_.encoder
        assert encoder is not None
        return self.network_.predict(encoder.encode(rows)).astype(np.float64)

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(LARGEST_SEED))


class _Classifier(ClassifierMixin, _NetworkEstimator):  # type: ignore[misc]
    """What classifiers share."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]  # type: ignore[no-any-return]

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of each class, in the order of ``classes_``."""
        return self._outputs(X)

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithm of the probability of each class."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))  # type: ignore[no-any-return]


class _Mlp(_NetworkEstimator):
    """A multilayer perceptron: its layers and how it is trained, from scikit-learn's parameters."""

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] | int = (100,),
        activation: str = "relu",
        *,
        solver: str | Mapping[str, Any] = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: Any = 0.001,
        max_iter: int = 200,
        tol: float = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        random_state: Any = None,
        warm_start: bool = False,
        dropout: float = 0.0,
        norm: str | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.warm_start = warm_start
        self.dropout = dropout
        self.norm = norm

    def _train(self, X: Any, t: NDArray[Any], end: list[Any], *, go_on: bool, epochs: int | None = None) -> Run:
        """Train a network, and return the run.

        Args:
            X: inputs.
            t: targets as the data set takes them.
            end: the last layer and the loss.
            go_on: whether to go on with the network that is there.
            epochs: passes over the examples; None for ``max_iter`` at most.
        """
        rows = len(t)
        network = self.network_ if go_on else None
        seed = self._seed()
        watching = self.early_stopping and epochs is None
        held_out = self.validation_fraction if watching else 0.0
        trained_on = rows - round(held_out * rows)
        batch = min(200, trained_on) if self.batch_size == "auto" else min(int(self.batch_size), trained_on)
        passes = epochs or self.max_iter
        training = {
            "optimizer": self._optimizer(batch),
            "batch_size": batch,
            "epochs": passes,
            "evaluate_every": None if watching else passes * (-(-trained_on // batch)),
            "checkpoint": None,
            **_threads(),
        }
        if watching:
            monitor = self._monitor
            training["metrics"] = [monitor] if monitor != "loss" else []
            training["early_stopping"] = {
                "metric": monitor,
                "patience": self.n_iter_no_change,
                "minimum_change": self.tol,
            }
            training["best_weights"] = monitor
        patience = sys.maxsize if watching else self.n_iter_no_change
        curve = _LossCurve(-(-trained_on // batch), self.tol, patience)
        top_level = {"name": type(self).__name__, "seed": seed, "layers": [*self._hidden_layers(), *end]}
        learned = None
        if network is not None:
            training["slices"] = len(network.replicas)
            network.seed, learned = seed, network.encoder
        spec, dataset = spec_in_memory(
            installed(),
            {"train": (X, t)},
            top_level,
            training | {"predict": self._predicts, "unknown": "zeros", "split_seed": seed},
            {"validation": held_out},
            learned,
        )
        run = train_spec(spec, None, dataset=dataset, observer=_Quiet(), network=network, callbacks=[curve])
        self.network_ = run.network
        self.loss_curve_ = curve.curve if epochs is None else [*getattr(self, "loss_curve_", []), *curve.curve]
        self.n_iter_ = len(self.loss_curve_)
        self.loss_ = self.loss_curve_[-1]
        self.n_layers_ = 2 + len(self._sizes())
        if epochs is None and not run.ended and self.n_iter_no_change < self.max_iter:
            warnings.warn(
                f"training ended after max_iter={self.max_iter} epochs, and the loss was still falling",
                ConvergenceWarning,
                stacklevel=3,
            )
        return run

    def _sizes(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        return [int(sizes)] if isinstance(sizes, int | np.integer) else [int(size) for size in sizes]

    def _hidden_layers(self) -> list[Any]:
        if self.norm not in NORMS:
            raise ValueError(f"norm={self.norm!r} is unknown; expected None, 'batch' or 'layer'")
        activation = ACTIVATIONS.get(self.activation, [self.activation])
        dropout = [{"Dropout": {"rate": self.dropout}}] if self.dropout else []
        return [layer for size in self._sizes() for layer in (_affine(size), *NORMS[self.norm], *activation, *dropout)]

    def _optimizer(self, batch: int) -> Any:
        """Return the optimizer, its weight decay that of the penalty alpha / (2 n) Σ W² for n rows of a minibatch."""
        if not isinstance(self.solver, str):
            return self.solver
        rate = {"learning_rate": self.learning_rate_init}
        if self.solver == "sgd":
            return {"sgd": rate | {"momentum": 0.9, "nesterov": True, "weight_decay": self.alpha / batch}}
        if self.solver == "adam" and self.alpha:
            return {"adamw": rate | {"weight_decay": self.alpha / batch}}
        return {self.solver: rate}

    _monitor: str
    _predicts: str


class MLPClassifier(_Classifier, _Mlp):
    """A multilayer perceptron that tells classes apart.

    Args:
        hidden_layer_sizes: units of each hidden layer.
        activation: ``relu``, ``tanh``, ``logistic``, ``gelu``, ``identity``, or the name of a layer of mlpkit.
        solver: ``adam``, ``sgd`` (momentum 0.9), another optimizer's name, or a mapping from it to its parameters.
        alpha: strength of the L2 penalty, divided by the rows of a minibatch; with ``adam`` it is decoupled (AdamW).
        batch_size: rows of a minibatch; ``auto`` for 200, or all if there are fewer.
        learning_rate_init: the learning rate, or a schedule of mlpkit, such as ``{"cosine": {"initial": 0.01}}``.
        max_iter: most passes over the examples.
        tol: how much the loss, or the score with early stopping, must improve to count.
        early_stopping: whether to hold out examples, end once their accuracy stops improving, and keep the best
            weights.
        validation_fraction: share of the examples to hold out.
        n_iter_no_change: epochs in a row without improvement, after which training ends.
        random_state: seed of weights, minibatches, dropout and the examples held out.
        warm_start: whether ``fit`` continues from the weights of the last one.
        dropout: share of each hidden layer's outputs that is set to zero in training.
        norm: ``batch`` or ``layer`` normalization before each activation; None for neither.
        class_weight: weights of classes by label, or ``balanced``; None for equal ones.
    """

    _monitor = "accuracy"
    _predicts = "classes"

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] | int = (100,),
        activation: str = "relu",
        *,
        solver: str | Mapping[str, Any] = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: Any = 0.001,
        max_iter: int = 200,
        tol: float = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        random_state: Any = None,
        warm_start: bool = False,
        dropout: float = 0.0,
        norm: str | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            tol=tol,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            random_state=random_state,
            warm_start=warm_start,
            dropout=dropout,
            norm=norm,
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any) -> Self:
        """Train the network.

        Args:
            X: inputs, an array or a data frame, whose columns of text become zeros and ones.
            y: the class of each row, of any type.
        """
        go_on = self.warm_start and hasattr(self, "network_")
        X, numbers, classes = self._numbered(X, y, None, reset=not go_on)
        if go_on and not np.array_equal(classes, self.classes_):
            raise ValueError(f"warm_start needs the classes of the last fit, {self.classes_}; y has {classes}")
        self.classes_ = classes
        self._train(X, numbers, self._end(numbers), go_on=go_on)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Pass over some examples once, from the weights that the network has; the optimizer starts from scratch.

        Args:
            X: inputs.
            y: the class of each row.
            classes: all classes; needed at the first call.
        """
        first = not hasattr(self, "network_")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if not first and classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes={classes!r} are not those of the last call, {self.classes_}")
        known = np.unique(classes) if first else self.classes_
        X, numbers, self.classes_ = self._numbered(X, y, known, reset=first)
        self._train(X, numbers, self._end(numbers), go_on=not first, epochs=1)
        return self

    def _numbered(self, X: Any, y: Any, classes: Any, *, reset: bool) -> tuple[Any, NDArray[Any], NDArray[Any]]:
        """Return inputs, the number of each row's class, and the classes."""
        X, y = self._validated(X, y, reset=reset)
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        found, numbers = np.unique(y, return_inverse=True)
        if classes is None:
            return X, numbers, found
        if not np.isin(found, classes).all():
            raise ValueError(f"y has classes {np.setdiff1d(found, classes)}, which are not in classes={classes}")
        return X, np.searchsorted(classes, y), classes

    def _end(self, numbers: NDArray[Any]) -> list[Any]:
        count = len(self.classes_)
        loss: Any = "SoftmaxWithLoss"
        if self.class_weight is not None:
            weights = compute_class_weight(self.class_weight, classes=self.classes_, y=self.classes_[numbers])
            loss = {loss: {"class_weights": [float(weight) for weight in weights]}}
        return [_affine(count), loss]


class MLPRegressor(RegressorMixin, _Mlp):  # type: ignore[misc]
    """A multilayer perceptron that predicts numbers; it sees the targets standardized while it trains.

    Args:
        hidden_layer_sizes: units of each hidden layer.
        activation: as for ``MLPClassifier``.
        solver: as for ``MLPClassifier``.
        alpha: as for ``MLPClassifier``.
        batch_size: as for ``MLPClassifier``.
        learning_rate_init: as for ``MLPClassifier``.
        max_iter: as for ``MLPClassifier``.
        tol: how much the loss must improve to count, in units of the targets' variance.
        early_stopping: whether to hold out examples, end once their loss stops improving, and keep the best weights.
        validation_fraction: share of the examples to hold out.
        n_iter_no_change: as for ``MLPClassifier``.
        random_state: as for ``MLPClassifier``.
        warm_start: as for ``MLPClassifier``.
        dropout: as for ``MLPClassifier``.
        norm: as for ``MLPClassifier``.
    """

    _monitor = "loss"
    _predicts = "values"

    def fit(self, X: Any, y: Any) -> Self:
        """Train the network.

        Args:
            X: inputs, an array or a data frame, whose columns of text become zeros and ones.
            y: the number of each row, or several.
        """
        return self._fit(X, y, go_on=self.warm_start and hasattr(self, "network_"))

    def partial_fit(self, X: Any, y: Any) -> Self:
        """Pass over some examples once, from the weights that the network has; the optimizer starts from scratch.

        The first call decides how targets are standardized.

        Args:
            X: inputs.
            y: the number of each row, or several.
        """
        return self._fit(X, y, go_on=hasattr(self, "network_"), epochs=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the number of each row, or several, as ``fit`` got them."""
        values: NDArray[Any] = self._outputs(X) * self._target_std + self._target_mean
        return values[:, 0] if self._one_number else values

    def _fit(self, X: Any, y: Any, *, go_on: bool, epochs: int | None = None) -> Self:
        X, y = self._validated(X, y, reset=not go_on, numbers=True)
        y = np.asarray(y, np.float64)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        columns = y[:, None] if y.ndim == 1 else y
        if not go_on:
            self._one_number = y.ndim == 1
            self._target_mean = columns.mean(axis=0)
            std = columns.std(axis=0)
            self._target_std = np.where(std > 0, std, 1.0)
        scaled = (columns - self._target_mean) / self._target_std
        end = [_affine(columns.shape[1]), "MeanSquaredError"]
        self._train(X, scaled, end, go_on=go_on, epochs=epochs)
        return self


class SpecEstimator(_NetworkEstimator):
    """The network and the training of a spec, on the data that ``fit`` gets in place of the spec's.

    It is a classifier or a regressor, whichever the loss at the end of the layers is for.

    Args:
        spec: a spec, the file of one, or a mapping that says the same; its ``data`` may be left out.
        validation_fraction: share of the examples for validation, which early stopping and ``best_weights`` need.
        random_state: seed in place of the spec's; None for the spec's.
        warm_start: whether ``fit`` continues from the weights of the last one.
    """

    def __init__(
        self,
        spec: Any = None,
        *,
        validation_fraction: float = 0.0,
        random_state: Any = None,
        warm_start: bool = False,
    ) -> None:
        self.spec = spec
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.warm_start = warm_start

    def fit(self, X: Any, y: Any) -> Self:
        """Train the network, for as long as the spec says.

        Args:
            X: inputs, an array or a data frame, whose columns of text become zeros and ones.
            y: the target of each row.
        """
        return self._fit(X, y, go_on=self.warm_start and hasattr(self, "network_"))

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Pass over some examples once, from the weights that the network has; the optimizer starts from scratch.

        Args:
            X: inputs.
            y: the target of each row.
            classes: all classes, if the targets are classes; needed at the first call.
        """
        first = not hasattr(self, "network_")
        if first and classes is None and self._is_classifier(_loaded(self.spec)):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return self._fit(X, y, go_on=not first, classes=classes, epochs=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, or its number."""
        outputs = self._outputs(X)
        if hasattr(self, "classes_"):
            return self.classes_[outputs.argmax(axis=1)]  # type: ignore[no-any-return]
        return outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs

    @available_if(lambda self: self._is_classifier(_loaded(self.spec)))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of each class, in the order of ``classes_``."""
        return self._outputs(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of classes, or R² of numbers.

        Args:
            X: inputs.
            y: the target of each row.
            sample_weight: weights of the rows; None for equal ones.
        """
        judge = accuracy_score if hasattr(self, "classes_") else r2_score
        return float(judge(y, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        """Say what it is for, which the spec knows."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        if self.spec is None:
            return tags
        spec = _loaded(self.spec)
        if self._is_classifier(spec):
            tags.estimator_type = "classifier"
            tags.classifier_tags = ClassifierTags(multi_class=_outputs_of(spec) != 2)
        else:
            tags.estimator_type = "regressor"
            tags.regressor_tags = RegressorTags()
        return tags

    @staticmethod
    def _is_classifier(spec: Spec) -> bool:
        loss: Any = spec.layers[-1].recipe()
        try:
            loss.build((2,), Classes(2))
        except WrongUseError:
            return False
        return True

    def _fit(self, X: Any, y: Any, *, go_on: bool, classes: Any = None, epochs: int | None = None) -> Self:
        spec = _loaded(self.spec)
        network = self.network_ if go_on else None
        is_classifier = self._is_classifier(spec)
        X, y = self._validated(X, y, reset=not go_on, numbers=not is_classifier)
        if is_classifier:
            y = self._numbered(column_or_1d(y, warn=True), classes, go_on=go_on)
        else:
            y = np.asarray(y, np.float64)
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        resolved = spec.resolved()
        training = {**resolved["training"], "checkpoint": None, **_threads()}
        rows = len(y) - round(self.validation_fraction * len(y))
        training["batch_size"] = min(training["batch_size"], rows)
        if epochs is not None:
            training = {key: value for key, value in training.items() if key not in LENGTHS} | {"epochs": epochs}
        seed = spec.seed if self.random_state is None else self._seed()
        top_level = {"name": spec.name, "seed": seed, "dtype": spec.dtype, "layers": resolved["layers"]}
        learned = None
        if network is not None:
            training["slices"] = len(network.replicas)
            network.seed, learned = seed, network.encoder
        checked, dataset = spec_in_memory(
            spec.registry,
            {"train": (X, y)},
            top_level,
            training | {"predict": "classes" if is_classifier else "values", "unknown": "zeros"},
            {"validation": self.validation_fraction},
            learned,
        )
        run = train_spec(checked, None, dataset=dataset, observer=_Quiet(), network=network)
        self.network_, self.history_ = run.network, run.history
        return self

    def _numbered(self, y: NDArray[Any], classes: Any, *, go_on: bool) -> NDArray[Any]:
        check_classification_targets(y)
        if not go_on:
            self.classes_ = np.unique(y if classes is None else classes)
        if not np.isin(y, self.classes_).all():
            raise ValueError(f"y has classes {np.setdiff1d(y, self.classes_)}, which are not in {self.classes_}")
        outputs, count = _outputs_of(_loaded(self.spec)), len(self.classes_)
        if outputs == 2 < count:
            raise ValueError(f"Only binary classification is supported. The type of the target is {type_of_target(y)}.")
        if outputs and outputs != count:
            found = "1 class" if count == 1 else f"{count} classes"
            raise ValueError(f"y has {found}; the last layer of the spec has {outputs} units")
        return np.searchsorted(self.classes_, y)


LENGTHS: Final = ("iterations", "epochs", "seconds", "evaluate_every")


def _loaded(spec: Any) -> Spec:
    """Return the spec of a ``SpecEstimator``; data that it doesn't need may be missing."""
    if isinstance(spec, Spec):
        return spec
    if spec is None:
        raise UsageError("there is no spec; expected SpecEstimator(spec)")
    if isinstance(spec, Mapping) and "data" not in spec:
        return load_spec({"mlpkit": 1, **spec, "data": installed().default("dataset")})
    return load_spec(spec)


def _outputs_of(spec: Spec) -> int:
    """Return how many outputs the last layer has, or 0 if that depends on the inputs."""
    try:
        return int(np.prod(prove_layers(spec, (1,), None).shapes[-1]))
    except StackError:
        return 0


def _affine(units: int) -> dict[str, Any]:
    """Return a layer whose first weights are drawn as scikit-learn draws them."""
    return {"Affine": {"units": units, "weights": "glorot_uniform"}}


def _has_texts(X: Any) -> bool:
    """Whether something is a data frame with columns that hold no numbers."""
    return hasattr(X, "columns") and any(np.asarray(X[name]).dtype.kind not in "biuf" for name in X.columns)


def _threads() -> dict[str, int]:
    """Return the key ``threads`` if the process may use fewer threads than there are cores, as one of a search does."""
    limits = [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")]
    allowed = min((int(limit) for limit in limits if limit.isdigit() and int(limit)), default=available_cores())
    return {"threads": 1} if allowed == 1 else {}
