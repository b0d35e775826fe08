"""A trained model, used as its data was: raw rows in, names of classes, labels or values out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mlpkit.array import Array
from mlpkit.components.schema.wording import did_you_mean, listed
from mlpkit.components.target import Classes, Labels, Target, Values
from mlpkit.errors import ShapeError, UsageError
from mlpkit.jobs.evaluate import DATA_SPLIT, evaluated_examples
from mlpkit.jobs.inputs import examples_of, inputs_of, require_exists
from mlpkit.jobs.load_model import TrainedModel, load_run, load_trained
from mlpkit.jobs.predict import predictions, warn_of_no_guarantee
from mlpkit.lazy_names import load as load_place
from mlpkit.network.arguments import number_array, weights_of_examples
from mlpkit.network.sequential import Sequential
from mlpkit.registry.registry import Registry
from mlpkit.runs.kinds import RunArgument, directory_of
from mlpkit.specfile.spec import Spec

if TYPE_CHECKING:
    from mlpkit.jobs.explanations import Explanation

_TRUTHS: Final = {"True": True, "False": False}
MOST_CLASSES_SHOWN: Final = 20
MOST_NAMES_SHOWN: Final = 8


def class_values(names: tuple[str, ...] | None, count: int) -> tuple[Any, ...]:
    """Return what classes are called in Python: numbers if all names are numbers, so that they equal a table's."""
    if names is None:
        return tuple(range(count))
    return _if_all(int, names) or _if_all(_TRUTHS.get, names) or _if_all(float, names) or names


def _if_all(read: Callable[[str], Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the values that all names stand for; nothing if Python writes one of them differently."""
    try:
        values = tuple(map(read, names))
    except ValueError:
        return ()
    return values if tuple(map(str, values)) == names else ()


def targets_of(target: Target, names: tuple[str, ...] | None, given: object, rows: int) -> Array:
    """Return targets as ``Split.take`` writes them, but never one-hot, or raise ``UsageError`` or ``ShapeError``.

    Given are names or numbers of classes, or one-hot rows of them; labels; or values.
    """
    if isinstance(target, Classes):
        return _class_numbers(np.asarray(given), target.count, names, rows)
    shape = target.array(np.dtype(np.float64))[0]
    array = number_array(given, "targets")  # type: ignore[arg-type]  # whatever it is
    if array.ndim == 1 and shape == (1,):
        array = array.reshape(-1, 1)
    _require_shape(array, (rows, *shape))
    right = (array == 0) | (array == 1) if isinstance(target, Labels) else np.isfinite(array)
    if not right.all():
        place = np.unravel_index(int((~right).argmax()), right.shape)
        expected = "0 or 1" if isinstance(target, Labels) else "a finite number"
        raise UsageError(f"the target of row {place[0]}, counted from 0, is {array[place]}; expected {expected}")
    return array


def _class_numbers(given: Array, count: int, names: tuple[str, ...] | None, rows: int) -> NDArray[np.int64]:
    if given.shape == (rows, count) and given.dtype.kind in "biuf":
        are_one_hot = ((given == 0) | (given == 1)).all() and (given.sum(axis=1) == 1).all()
        if are_one_hot:
            return np.asarray(given.argmax(axis=1), np.int64)
    if given.shape == (rows, 1):
        given = given.reshape(rows)
    _require_shape(given, (rows,))
    values = class_values(names, count)
    numbers = dict(zip(values, range(count), strict=True))
    numbers |= dict(zip(names or (), range(count), strict=False))
    found = np.empty(rows, np.int64)
    for row, value in enumerate(given.tolist()):
        try:
            found[row] = numbers[value]
        except (KeyError, TypeError) as error:
            remedy = did_you_mean(value, map(str, values)) if isinstance(value, str) else ""
            wrong = f"the target of row {row}, counted from 0, is {value!r}, which is not a class of the model"
            expected = f"expected one of {listed(values, MOST_CLASSES_SHOWN)}"
            raise UsageError(f"{wrong}; {remedy or expected}") from error
    return found


def _require_shape(array: Array, expected: tuple[int, ...]) -> None:
    if array.shape != expected:
        shape = ", ".join(map(str, expected)) + ("," if len(expected) == 1 else "")
        raise ShapeError(f"targets of shape {array.shape} don't fit the rows", expected=f"({shape})")


def load(path: RunArgument, *, plugins: Iterable[str | Path | ModuleType] = (), blocked: Iterable[str] = ()) -> Model:
    """Return the trained model of a run.

    Args:
        path: a run folder, such as ``runs/titanic``, or a model file, or a run that a folder keeps.
        plugins: modules, or paths of Python files, that are plugins too.
        blocked: namespaces, or names of components, to disable.

    Raises:
        UsageError: no such folder or file, or no folder keeps the run.
        RunFolderError: the folder is not a run folder, or holds no model yet.
        ModelFileError: the model file can't be read, or isn't valid.
        DivergenceError: the model is not finite.
        SpecError: a plugin that the model needs is missing.
    """
    registry, place = Registry.discover(plugins=plugins, blocked=blocked), directory_of(path)
    require_exists(place, "run or model file")
    return Model(load_run(place, registry), place) if place.is_dir() else Model(load_trained(place, registry))


class Model:
    """A trained network together with what its data set learned: it takes raw rows and encodes them as in training.

    ``mlpkit.load`` returns one, and so does ``run.model``. Rows are what the data set took:

    - for a table: a file name, a list of dicts, a dict of columns, a data frame of pandas, Polars or Arrow, or rows
      without names in the order of the columns, as lists or an array. Columns that aren't inputs don't matter.
    - for arrays and images: an array, shape (rows, ...), raw as in the file; or a file name, of a NumPy file, an image
      or a folder of images; or a list of file names.

    Methods may be called from several threads; the calls take turns.

    Args:
        trained: network, data set and spec.
        directory: the run folder; None without one.
    """

    def __init__(self, trained: TrainedModel, directory: Path | None = None) -> None:
        self._trained = trained
        self._directory = directory
        trained.network.encoder = trained.dataset

    @property
    def network(self) -> Sequential:
        """The network, which takes encoded inputs, and refuses plainly unencoded ones."""
        return self._trained.network

    @property
    def spec(self) -> Spec:
        """The spec that it was trained from."""
        return self._trained.spec

    @property
    def classes(self) -> tuple[Any, ...] | None:
        """The classes, in the order of their probabilities; None if no classes are predicted.

        Names, or numbers if all names are numbers, as in a table with classes 0 and 1.
        """
        target = self._trained.target
        if not isinstance(target, Classes):
            return None
        return class_values(self._trained.dataset.class_names(), target.count)

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The names of the columns that it takes, in their order; None if it takes arrays."""
        return self._trained.dataset.column_names()

    def predict(self, rows: Any) -> Array:
        """Return a prediction for each row.

        Args:
            rows: rows as the data set took them: a file name, dicts, a data frame, an array (see the class).

        Returns:
            The most probable class of each row, as in ``classes``, shape (rows,); labels, 0 or 1, shape (rows, labels);
            or values in the target's unit, shape (rows,) if there is one target, otherwise (rows, ...); if the loss
            predicts several numbers for one target, such as quantiles, shape (rows, numbers).

        Raises:
            UsageError: no such file, or it has no rows.
            ShapeError: rows have a shape that the model doesn't take.
            DataError: a column is missing, or a value doesn't fit its column or isn't finite; a file can't be read.
            ComponentFailure: the data set raised an exception.
        """
        found = predictions(self._trained, inputs_of(self._trained, rows))
        if found.classes is not None and self.classes is not None:
            return np.take(np.array(self.classes), found.classes)
        if found.labels is not None:
            return found.labels
        alone = found.values.shape[1:] == (1,) and self.network.loss_layer.prediction_names() is None
        return found.values.reshape(-1) if alone else found.values

    def predict_proba(self, rows: Any) -> Array:
        """Return the probability of each class, in the order of ``classes``, or of each label.

        Args:
            rows: rows as for ``predict``.

        Returns:
            Probabilities, shape (rows, classes) or (rows, labels).

        Raises:
            UsageError: the model predicts values; or as ``predict``.
        """
        if not isinstance(self._trained.target, Classes | Labels):
            raise UsageError("the model predicts values, which have no probabilities; use predict")
        return predictions(self._trained, inputs_of(self._trained, rows)).values

    def explain(
        self, rows: Any, *, background: Any = None, all_classes: bool = False, orders: int = 400
    ) -> Explanation:
        """Return why the model predicts what it predicts for rows: what each column adds to the mean prediction.

        Shapley values of the columns as the data set took them, or of the numbers of an array. Rows are compared with
        about 100 training rows, which the first call writes into the run folder. What is explained is the probability
        of the predicted class, the probability of each label, or each value. Equal rows have equal explanations.

        Args:
            rows: rows as for ``predict``.
            background: rows to compare with, in place of the run's; of more than 100, 100 are taken, evenly spaced.
            all_classes: whether to explain the probabilities of all classes.
            orders: how many pairs of orders of the columns are drawn, and at least 2 for each row to compare with; the
                standard errors fall as its square root grows. If columns are few, the values are exact.

        Raises:
            UsageError: the run's data is gone and no rows to compare with are kept, there are more than 500 columns, or
                an input of the network comes from several; or as ``predict``.
            RunFolderError: the rows that are kept are damaged.
        """
        explain = load_place("mlpkit.jobs.explanations:explain")
        found: Explanation = explain(
            self._trained, self._directory, rows, background, all_classes=all_classes, orders=orders
        )
        return found

    def predict_interval(self, rows: Any) -> Array:
        """Return the ends of an interval for each value, which hold the targets with the probability ``coverage``.

        Args:
            rows: rows as for ``predict``.

        Returns:
            The lower and the upper ends, shape (rows, 2) if there is one target, otherwise (rows, ..., 2).

        Raises:
            UsageError: the model predicts classes, or was trained without ``coverage``; or as ``predict``.
        """
        regions = self._regions(rows, "low", "an interval")
        ends = np.stack([regions["low"], regions["high"]], axis=-1)
        return ends.reshape(-1, 2) if ends[0].size == 2 else ends

    def predict_set(self, rows: Any) -> NDArray[np.bool_]:
        """Return which classes are in a row's set, which holds the true one with the probability ``coverage``.

        Args:
            rows: rows as for ``predict``.

        Returns:
            A truth value for each class, in the order of ``classes``, shape (rows, classes).

        Raises:
            UsageError: the model predicts values, or was trained without ``coverage``; or as ``predict``.
        """
        return self._regions(rows, "set", "a set of classes")["set"]

    def _regions(self, rows: Any, name: str, what: str) -> Mapping[str, Array]:
        found = predictions(self._trained, inputs_of(self._trained, rows))
        if name not in found.regions:
            other = "predict_set" if "set" in found.regions else "predict_interval"
            remedy = f"use {other}" if found.regions else "train it with coverage: 0.9 in the spec"
            raise UsageError(f"the model predicts {self._trained.target}, without {what}; {remedy}")
        warn_of_no_guarantee(self._trained, found)
        return found.regions

    def evaluate(
        self, rows: Any, targets: Any = None, weights: Any = None, *, by: str | Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return loss and metrics of the model for rows whose targets are known, by name; a table as a list of rows.

        The metrics are the spec's.

        Args:
            rows: rows as for ``predict``.
            targets: a class, labels or values for each row; None if they are a column of the rows, or in the file.
            weights: how much each row counts, numbers >= 0; None for equal weights, or if the model was trained on a
                table with a column of weights, and no targets are given: then that column is used.
            by: columns of the rows; loss and metrics of the groups by each, with intervals, are then under ``by``, as
                in the output of ``mlpkit evaluate --json``. The targets must be a column, too.

        Raises:
            UsageError: the rows have no targets, a target isn't a class of the model, or a weight isn't a number from 0
                up; or as ``predict``.
            WrongUseError: a metric takes no weights of examples.
            DataError: the targets aren't what they should be; or as ``predict``.
            DivergenceError: the loss is not finite.
        """
        own, columns = None, [by] if isinstance(by, str) else [*by]
        if columns and targets is not None:
            raise UsageError("groups of rows need the target as a column of the rows; leave out the other targets")
        if targets is None:
            inputs, targets, own = examples_of(self._trained, rows)
        else:
            inputs, names = inputs_of(self._trained, rows), self._trained.dataset.class_names()
            targets = targets_of(self._trained.target, names, targets, len(inputs.x))
        if weights is not None and own is not None:
            raise UsageError("the rows have weights already, in a column; leave out the other weights")
        if weights is not None:
            own = weights_of_examples(number_array(weights, "weights"), len(inputs.x))
        return evaluated_examples(self._trained, inputs, targets, own, by=columns, rows=rows).plain()[DATA_SPLIT]

    def __repr__(self) -> str:
        shape = ", ".join(map(str, ("rows", *self._trained.network.input_shape)))
        takes = listed(self.columns, MOST_NAMES_SHOWN) if self.columns else f"arrays, such as of shape ({shape})"
        return f"<Model {self.spec.name}: takes {takes}; predicts {self._predicted()}>"

    def _predicted(self) -> str:
        if self.classes is not None:
            return listed(self.classes, MOST_NAMES_SHOWN)
        names = self.network.replicas[0].prediction_names(self._trained.dataset.target_names())
        if names is None and self._trained.target in {Values(()), Values((1,))}:
            return "a number"
        return listed(names, MOST_NAMES_SHOWN) if names else str(self._trained.target)
