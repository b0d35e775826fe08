"""Arrays in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from mlpkit import Array, Classes, DataError, DataWarning, ModelFileError, ParameterError, Target
from mlpkit_plugins.arrays.array_dataset import ArrayDataset, ContentOptions, SplitOptions
from mlpkit_plugins.arrays.array_split import Examples
from mlpkit_plugins.arrays.array_targets import (
    NO_EXAMPLES,
    class_numbers,
    classes_from_plain,
    classes_of,
    kind_of_target,
    layers_to_begin_with,
    names_of,
    target_array,
    weight_array,
)
from mlpkit_plugins.arrays.scaling import warnings_about_scale
from mlpkit_plugins.splits.shares import Share, shares_and_files
from mlpkit_plugins.tables.memory_source import is_frame


@dataclass(kw_only=True, eq=False)
class InMemory(SplitOptions, ContentOptions, ArrayDataset):
    """Arrays or lists in memory, as ``mlpkit.fit`` takes them.

        x = raw / divide_by, and with standardize  x = (raw / divide_by - mean) / std

    The arrays aren't saved: to resume or evaluate such a run, pass them again.

    Args:
        predict: the kind of targets: ``classes``, of any type; ``labels``, rows of 0 and 1; ``values``, numbers. With
            ``auto``, texts, integers and truth values are classes, rows of 0 and 1 are labels, and other numbers are
            values.
        classes: all classes, of one type, from lowest to highest, an order that losses such as ``Ordinal`` need; by
            default the classes of the training examples, in numerical or alphabetical order.
        validation: share of the examples for validation; 0 for none.
        test: share of the examples for testing; 0 for none.

    Raises:
        ParameterError: the shares leave nothing to train on, or a split has no example; or the classes are of several
            types.
        DataError: no examples were passed, or they aren't what ``predict`` says.

    Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2009), section 2.2.
    """

    in_memory: ClassVar[bool] = True
    predict: Literal["auto", "classes", "labels", "values"] = "auto"  # type: ignore[assignment]
    classes: list[str | int | float | bool] | None = None
    validation: Share = 0.0
    test: Share = 0.0

    def __post_init__(self) -> None:
        self.shares, _ = shares_and_files(self.validation, self.test)
        self._held: Mapping[str, tuple[Any, ...]] = {}
        self._labels = self._listed_classes()

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """Show splits by shares, and scaled inputs."""
        return [{"validation": 0.2}, {"standardize": True, "test": 0.2, "predict": "values"}]

    @classmethod
    def parameters_for(
        cls, examples: Mapping[str, tuple[Any, ...]], given: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Return the given parameters; None for data frames."""
        return None if is_frame(examples["train"][0]) else given

    @classmethod
    def layers_for(cls, examples: Mapping[str, tuple[Any, ...]], parameters: Mapping[str, Any]) -> list[Any]:
        """Return a small perceptron for the target."""
        if (predict := parameters.get("predict", "auto")) == "auto":
            predict = kind_of_target(target_array(examples["train"][1], "t"))
        return layers_to_begin_with(predict)

    def warnings(self) -> list[DataWarning]:
        """Return warnings about unused classes, unless ``classes`` lists them, and about the scale of inputs."""
        warnings = super().warnings() if self.classes is None else []
        if self.standardize or self.numbers is not None:
            return warnings
        return [*warnings, *warnings_about_scale(self._opened()["train"].inputs, self.divide_by)]

    def hold(self, examples: Mapping[str, tuple[Any, ...]]) -> None:
        """Store the examples, inputs, targets and perhaps weights, by split; those of weight 0 are left out."""
        self._held, self._examples, self._split_of = examples, None, None

    def open_files(self) -> dict[str, Examples]:
        """Return the examples as arrays of numbers."""
        if not self._held:
            raise DataError(self.registered_name, NO_EXAMPLES)
        targets = {name: target_array(t, _named("t", name)) for name, (_, t, *_) in self._held.items()}
        weights = {
            name: weight_array(rest[0], len(targets[name]), _named("weights", name))
            for name, (_, _, *rest) in self._held.items()
            if rest
        }
        targets = {name: _counting(part, weights.get(name)) for name, part in targets.items()}
        if self.predict == "auto":
            self.predict = "classes" if self._labels is not None else kind_of_target(targets["train"])
        if self.predict == "classes":
            targets = self._numbered(targets)
        inputs = {name: _numbers(x, _named("x", name)) for name, (x, *_) in self._held.items()}
        return {
            name: Examples(
                _counting(x, weights.get(name)),
                targets[name],
                _named("x", name),
                _named("t", name),
                (),
                _counting(weights[name], weights[name]) if name in weights else None,
            )
            for name, x in inputs.items()
        }

    def fingerprint(self) -> str:
        """Return a SHA-256 of the arrays, once opened; empty until then."""
        if not self._fingerprint or not self._examples:
            return ""
        checksum = hashlib.sha256()
        for name, part in self._examples.items():
            for array in (part.inputs, part.targets, *([] if part.weights is None else [part.weights])):
                whole = np.ascontiguousarray(array[:])
                checksum.update(f"{name} {whole.dtype} {whole.shape}".encode())
                checksum.update(whole.data)
        return checksum.hexdigest()

    def encode(self, raw: Any) -> Array:
        """Encode raw inputs."""
        return super().encode(_numbers(raw, "x"))

    def encoder_state(self) -> dict[str, Any]:
        """Return scaling and classes."""
        state: dict[str, Any] = {"scaling": super().encoder_state()}
        if self._labels is not None:
            state["classes"] = list(self._labels)
        return state

    def load_encoder_state(self, state: Mapping[str, Any]) -> None:
        """Restore scaling and classes."""
        if not state.keys() <= {"scaling", "classes"} or "scaling" not in state:
            raise ModelFileError(f"the encoder of the arrays has the keys {sorted(state)}")
        super().load_encoder_state(state["scaling"])
        if "classes" in state:
            self._labels = classes_from_plain(state["classes"])

    def class_names(self) -> tuple[str, ...] | None:
        """Return the classes as texts; None if they are the numbers from 0."""
        return None if self._labels is None else names_of(self._labels)

    def labels(self) -> tuple[Any, ...] | None:
        """Return the classes as the user passed them, in the order of their numbers; None for other targets."""
        return self._labels

    def _listed_classes(self) -> tuple[Any, ...] | None:
        if self.classes is None:
            return None
        if self.predict not in ("auto", "classes"):
            raise ParameterError(
                "classes", f"they are listed, but predict is {self.predict}", expected="none, or predict: classes"
            )
        types = sorted({type(label).__name__ for label in self.classes})
        if len(types) != 1:
            problem = f"they are of the types {' and '.join(types)}" if types else "the list is empty"
            raise ParameterError("classes", problem, expected="texts, numbers or truth values, all of one type")
        return tuple(dict.fromkeys(self.classes))

    def _numbered(self, targets: dict[str, Array]) -> dict[str, Array]:
        if self._labels is None:
            self._labels = classes_of(targets["train"], _named("t", "train"))
        unknown = "a class that no training example has" if self.classes is None else "which is not in classes"
        return {name: class_numbers(part, self._labels, _named("t", name), unknown) for name, part in targets.items()}

    def _target(self, examples: Mapping[str, Examples]) -> Target:
        if self._labels is None:
            return super()._target(examples)
        return Classes(len(self._labels), ordered=self.classes is not None or not isinstance(self._labels[0], str))


def _numbers(x: Any, source: str) -> Array:
    if hasattr(x, "toarray"):
        raise DataError(source, "is a sparse matrix; expected an array: write .toarray()")
    try:
        array = np.asarray(x)
        if array.dtype.kind == "O":
            array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(source, f"is not an array of numbers: {error}") from error
    if array.dtype.kind not in "biuf":
        remedy = "texts can be columns of a data frame" if array.dtype.kind in "UT" else "turn it into numbers"
        raise DataError(source, f"holds {array.dtype}; expected numbers; {remedy}")
    return array


def _counting(array: Array, weights: NDArray[np.float64] | None) -> Array:
    """Return the rows whose weight is not 0; all rows if the counts differ, an error that is found later."""
    return array if weights is None or weights.all() or len(array) != len(weights) else array[weights > 0]


def _named(array: str, split: str) -> str:
    return array if split == "train" else f"{array} of {split}"
