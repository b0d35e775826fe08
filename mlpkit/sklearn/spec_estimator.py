"""The network and the training of a spec as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from sklearn.utils import ClassifierTags, RegressorTags, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from mlpkit.components.schema.recipe import leaves_to_data
from mlpkit.components.target import Classes
from mlpkit.errors import UsageError, WrongUseError
from mlpkit.jobs.prove import prove_layers
from mlpkit.network.shape_proof import StackError
from mlpkit.registry.registry import installed
from mlpkit.sklearn.network_estimator import NetworkEstimator, rows_with_weight
from mlpkit.sklearn.training import training_rows
from mlpkit.specfile.key_types import FORMAT, FORMAT_KEY
from mlpkit.specfile.spec import Spec, load_spec
from mlpkit.verbs.run.fit import dataset_for

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(repr=False, eq=False)
class SpecEstimator(NetworkEstimator):
    """The network and the training of a spec, with data from ``fit`` instead of the spec's.

    The loss at the end of the layers decides whether it is a classifier or a regressor. Inputs and targets are encoded
    and scaled as by the spec's data set; without one, categories are one-hot encoded, and numbers unchanged. As for
    ``MLPClassifier``, one of scikit-learn's checks requires more digits than float32 has, and so ``dtype: float64``.

    Args:
        spec: a spec, a spec file, or an equivalent mapping; its ``data`` may be left out.
        validation_fraction: share of the examples for validation, which early stopping and ``best_weights`` need.
        random_state: the seed; None for the spec's.
        warm_start: whether ``fit`` continues from the weights and the optimizer's state of the previous call.
    """

    spec: Any = None
    _: KW_ONLY
    validation_fraction: float = 0.0
    random_state: Any = None
    warm_start: bool = False

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network for the spec's number of epochs or iterations.

        Args:
            X: inputs, an array or a data frame, whose text columns are categories.
            y: the target of each row.
            sample_weight: the weight of each row in the loss and in metrics; None for equal weights.
        """
        return self._fit(X, y, sample_weight, resume=self.warm_start and hasattr(self, "network_"))

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Pass over some examples once, starting from the weights and the optimizer's state of the previous call.

        Args:
            X: inputs.
            y: the target of each row.
            classes: all classes, if targets are classes; required at the first call.
            sample_weight: the weight of each row in the loss and in metrics; None for equal weights.
        """
        first = not hasattr(self, "network_")
        if first and classes is None and _is_classifier(_loaded(self.spec)):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return self._fit(X, y, sample_weight, resume=not first, classes=classes, epochs=1)

    def _validated(self, X: Any, y: Any = "no_validation", *, reset: bool, numbers: bool = False) -> tuple[Any, Any]:
        """Validate inputs and targets; a frame stays a frame, since layers and encodings may need its columns."""
        checked, y = super()._validated(X, y, reset=reset, numbers=numbers)
        return (X if hasattr(X, "columns") else checked), y

    def _predictions(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return the most likely class of each row, or one or several numbers per row."""
        if hasattr(self, "classes_"):
            return super()._predictions(outputs)
        alone = outputs.shape[1:] == (1,) and self.network_.loss_layer.prediction_names() is None
        return outputs[:, 0] if alone else outputs

    @available_if(lambda self: _is_classifier(_loaded(self.spec)))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of each class, in the order of ``classes_``."""
        return self._outputs(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy for classes, R² for numbers, and R² of the median for quantiles.

        Args:
            X: inputs.
            y: the target of each row.
            sample_weight: the weight of each row; None for equal weights.
        """
        from sklearn.metrics import accuracy_score, r2_score  # noqa: PLC0415 - slow to load, and rarely needed

        point = self.network_.loss_layer.point_prediction(self.predict(X))
        return float((accuracy_score if hasattr(self, "classes_") else r2_score)(y, point, sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        """Return the estimator's tags, with the type that the spec implies."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        if self.spec is None:
            return tags
        spec = _loaded(self.spec)
        if _is_classifier(spec):
            tags.estimator_type = "classifier"
            tags.classifier_tags = ClassifierTags(multi_class=_takes_many_classes(spec))
        else:
            tags.estimator_type = "regressor"
            tags.regressor_tags = RegressorTags()
        return tags

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *, resume: bool, classes: Any = None, epochs: int | None = None
    ) -> Self:
        X, y, weights = rows_with_weight(X, y, sample_weight)
        spec = _loaded(self.spec)
        is_classifier = _is_classifier(spec)
        X, y = self._validated(X, y, reset=not resume, numbers=not is_classifier)
        if is_classifier:
            y = self._numbered(spec, column_or_1d(y, warn=True), classes, resume=resume)
            target: dict[str, Any] = {"predict": "classes", "classes": list(range(len(self.classes_)))}
        else:
            y, target = np.asarray(y, np.float64), {"predict": "values"}
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        resolved = spec.resolved()
        training, ensemble = dict(resolved["training"]), resolved.get("ensemble")
        rows = training_rows(len(y), self.validation_fraction, ensemble)
        training["batch_size"] = min(training["batch_size"], rows)
        if epochs is not None:
            training = {key: value for key, value in training.items() if key not in LENGTHS} | {"epochs": epochs}
        seed = spec.seed if self.random_state is None else self._seed()
        run = self._train_network(
            (X, y) if weights is None else (X, y, weights),
            {
                "name": spec.name,
                "seed": seed,
                "dtype": spec.dtype,
                "layers": resolved["layers"],
                "ensemble": ensemble,
                "calibration": resolved.get("calibration"),
            },
            {**training, **_encodings(self.spec, spec, X, y), **target},
            resume=resume,
            held_out=self.validation_fraction,
            registry=spec.registry,
        )
        self.history_ = run.history
        return self

    def _numbered(self, spec: Spec, y: NDArray[Any], classes: Any, *, resume: bool) -> NDArray[Any]:
        """Return the number of each row's class."""
        check_classification_targets(y)
        if not resume:
            self.classes_ = np.unique(y if classes is None else classes)
        if not np.isin(y, self.classes_).all():
            raise ValueError(f"y has classes {np.setdiff1d(y, self.classes_)}, which are not in {self.classes_}")
        count = len(self.classes_)
        if count > 2 and not _takes_many_classes(spec):
            raise ValueError(f"Only binary classification is supported. The type of the target is {type_of_target(y)}.")
        outputs = _outputs_of(spec)
        if outputs and outputs != _outputs_for(spec, Classes(count)):
            counted = "1 class" if count == 1 else f"{count} classes"
            raise ValueError(f"y has {counted}; the last layer of the spec has {outputs} units")
        if isinstance(self.classes_[0], str) and not _takes(spec, Classes(count, ordered=False)):
            msg = f"the loss needs ordered classes, but y has only their names, {', '.join(self.classes_)}"
            raise ValueError(f"{msg}; number them in their order, lowest first")
        return np.searchsorted(self.classes_, y)


OF_COLUMNS: Final = ("categorical", "ordinal", "dates", "numbers_by_column", "categories_by_column")
"""Parameters of a data set that name columns."""

ENCODINGS: Final = (
    *OF_COLUMNS,
    "date_parts",
    "rare",
    "missing",
    "missing_texts",
    "standardize",
    "numbers",
    "categories",
    "most_one_hot",
    "sign_of_two",
    "encode_one_hot",
    "scale_target",
    "clip_predictions",
)
"""Parameters of a spec's data set that determine how inputs and targets are encoded."""

LENGTHS: Final = ("iterations", "epochs", "seconds", "evaluate_every")


def _loaded(spec: Any) -> Spec:
    """Load the spec of a ``SpecEstimator``, whose ``data`` may be missing."""
    if isinstance(spec, Spec):
        return spec
    if spec is None:
        raise UsageError("there is no spec; expected SpecEstimator(spec)")
    if isinstance(spec, Mapping) and "data" not in spec:
        return load_spec({FORMAT_KEY: FORMAT, **spec, "data": installed().default("dataset")})
    return load_spec(spec)


def _encodings(original: Any, spec: Spec, X: Any, y: Any) -> dict[str, Any]:
    """Return the encodings of the spec's data set as parameters of the one in memory; empty if ``data`` is missing."""
    if isinstance(original, Mapping) and "data" not in original:
        return {}
    in_memory = dataset_for(spec.registry, {"train": (X, y)}, {})[0].schema.types
    types = spec.registry.find(("dataset",), spec.data.name).schema.types
    parameters = spec.resolved()["data"][spec.data.name]
    encodings = {key: parameters[key] for key in ENCODINGS if key in parameters and types[key] == in_memory.get(key)}
    if encodings.get("numbers") is not None:
        encodings.pop("standardize", None)
    return {key: _of_columns(value, X) if key in OF_COLUMNS else value for key, value in encodings.items()}


def _of_columns(value: Any, X: Any) -> Any:
    """Remove columns that the frame doesn't have from a parameter's value."""
    names = {str(name) for name in X.columns}
    if isinstance(value, Mapping):
        return {name: each for name, each in value.items() if name in names}
    return [name for name in value if name in names]


def _is_classifier(spec: Spec) -> bool:
    """Return whether the loss takes classes."""
    return _takes(spec, Classes(2))


def _takes_many_classes(spec: Spec) -> bool:
    """Return whether there may be more than two classes."""
    return _outputs_of(spec) != 2 and _takes(spec, Classes(3))


def _takes(spec: Spec, classes: Classes) -> bool:
    """Return whether the loss takes these classes as its target."""
    loss: Any = spec.layers[-1].recipe()
    try:
        loss.build(loss.expected_inputs(classes) or (classes.count,), classes)
    except WrongUseError:
        return False
    return True


def _outputs_for(spec: Spec, classes: Classes) -> int:
    """Return the number of outputs that the last layer should have: as the loss requires, or one per class."""
    loss: Any = spec.layers[-1].recipe()
    return int(np.prod(loss.expected_inputs(classes) or (classes.count,)))


def _outputs_of(spec: Spec) -> int:
    """Return the number of outputs of the last layer, or 0 if it depends on the data."""
    if any(leaves_to_data(member.recipe) for member in spec.layers[:-1]):
        return 0
    try:
        return int(np.prod(prove_layers(spec, (1,), None).shapes[-1]))
    except StackError:
        return 0
