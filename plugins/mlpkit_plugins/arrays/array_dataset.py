"""The base of the data sets that read arrays, and the parameters that they share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from annotated_types import Ge, Gt

from mlpkit import (
    Classes,
    DataError,
    Dataset,
    Description,
    EncodingLike,
    FilePath,
    ParameterError,
    ShapeError,
    Values,
)
from mlpkit_plugins.arrays.array_split import ArraySplit, Examples
from mlpkit_plugins.arrays.array_targets import (
    Predicted,
    array_target,
    check_logarithms,
    counts_of_classes,
    remedy_for_values,
    warnings_about_classes,
)
from mlpkit_plugins.arrays.raw_rows import check_finite, raw_array
from mlpkit_plugins.arrays.scaling import (
    DEVIATION_OVERFLOWS,
    ScaleTarget,
    Scaling,
    built_encoding,
    check_clippable,
    values_range,
    values_scaling,
)
from mlpkit_plugins.files.named_file import located
from mlpkit_plugins.splits.positions import split_at_random, split_in_order
from mlpkit_plugins.splits.shares import Share, Shares, warnings_about_shares

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlpkit import Array, DataWarning, Graph, RawArray, Target, Value, ValuesScaling
    from mlpkit_plugins.arrays.scaling import EncodedElements

    Parts = Mapping[str, tuple[Examples, Array | range]]


Files: TypeAlias = tuple[FilePath, FilePath]
"""A file of inputs, and a file of targets."""


@dataclass(kw_only=True, eq=False)
class ContentOptions:
    """The content of arrays, and the scaling of inputs.

    Args:
        numbers: the encoding of numeric inputs; by default ``standardize`` decides.
        predict: the kind of targets: ``classes``, numbers from 0; ``labels``, rows of 0 and 1; ``values``, numbers.
        flatten: give inputs as rows.
        divide_by: the number by which inputs are divided, such as 255 for bytes of images.
        standardize: scale each element of the inputs to mean 0 and standard deviation 1 over the training examples,
            for which the file is read once.
        scale_target: how the network sees values to predict: scaled to mean 0 and standard deviation 1
            (``standardize``), as logarithms scaled the same way (``log``), or unscaled (``none``). Predictions, losses
            and metrics are always in the unit of the target.
        clip_predictions: clip predictions of values to the range of the training examples' targets, if they are scaled;
            the loss of a minibatch uses unclipped predictions.
    """

    numbers: EncodingLike | None = None
    predict: Predicted = "classes"
    flatten: bool = False
    divide_by: Annotated[float, Gt(0)] = 1.0
    standardize: bool = False
    scale_target: ScaleTarget = "standardize"
    clip_predictions: bool = False


@dataclass(kw_only=True, eq=False)
class SplitOptions:
    """The split of examples; each data set decides which separate files a split may have.

    Args:
        validation: share of the examples for validation, or the two files that hold them; 0 for none.
        test: share of the examples for testing, or the two files that hold them; 0 for none.
        split: draw the examples of each split at random (``shuffle``), or keep them ``in_order``: the first for
            training, the last for testing.
        split_seed: another number gives another shuffle; the spec's seed doesn't affect the split.
    """

    validation: Share | FilePath | Files = 0.1
    test: Share | FilePath | Files = 0.1
    split: Literal["shuffle", "in_order"] = "shuffle"
    split_seed: Annotated[int, Ge(0)] = 0


class ArrayDataset(Dataset):
    """A data set whose examples are the rows of arrays, which stay in their files.

    A subclass has these parameters or sets them, and implements ``open_files``.
    """

    flatten = False
    _: KW_ONLY
    predict: Predicted
    divide_by: float
    standardize: bool
    numbers: EncodingLike | None = None
    scale_target: ScaleTarget
    clip_predictions: bool = False
    split: Literal["shuffle", "in_order"]
    split_seed: int
    shares: Shares
    targets_parameter: ClassVar = "targets"
    """The parameter that names the targets."""
    holds_pixels: ClassVar = False
    """Whether files hold images with a byte for each pixel."""
    _scaling: Scaling | None = None
    _target_scaling: ValuesScaling | None = None
    _is_loaded = False
    _examples: dict[str, Examples] | None = None
    _split_of: tuple[Mapping[str, Examples], Parts] | None = None
    _fingerprint = ""

    @abstractmethod
    def open_files(self) -> dict[str, Examples]:
        """Return the examples of ``train``, from which other splits may get a share, and of splits with separate files.

        Raises:
            ParameterError: the file doesn't exist.
            DataError: a file is damaged.
        """

    def describe(self) -> Description:
        """Return shapes, target and sizes from headers, and the number of classes or scaling from the targets."""
        if self.standardize and self.numbers is not None:
            raise ParameterError("standardize", "numbers sets the encoding already", remedy="leave out standardize")
        check_clippable(self.clip_predictions, self.predict, self.scale_target)
        examples = self._opened()
        target = self._target(examples)
        if isinstance(target, Values) and self.scale_target != "none" and not self._is_loaded:
            target = Values(target.shape, self._values_scaling(examples, target.shape))
        sizes = {name: len(rows) for name, (_, rows) in self._parts(examples).items()}
        raw_shape = examples["train"].inputs.shape[1:] or (1,)
        if self._scaling is None:
            self._scaling = Scaling(raw_shape, self.divide_by)
        weighted = any(part.weights is not None for part in examples.values())
        return Description(self._input_shape(raw_shape), target, sizes, weighted)

    def why_not_exchangeable(self) -> str:
        """Return that examples are split in their order, if they are."""
        if self.split == "in_order" and any(self.shares):
            return "examples are split in their order, and later ones may differ"
        return ""

    def warnings(self) -> list[DataWarning]:
        """Return warnings about unused class numbers, and about splits with different shares of a class."""
        if self.predict != "classes":
            return []
        parts = self._parts(self._opened())
        training, _ = parts["train"]
        classes, counts = counts_of_classes({name: (part.targets, rows) for name, (part, rows) in parts.items()})
        files = [name for name, (part, _) in parts.items() if part is not training]
        trained = {number for number, count in zip(classes, counts["train"], strict=True) if count}
        place = training.targets_name, self.targets_parameter
        remedy = "set split: shuffle" if self.split == "in_order" else "set another split_seed, or larger shares"
        return [
            *warnings_about_classes(trained, classes[-1], *place, self.target_remedy()),
            *warnings_about_shares(counts, list(map(str, classes)), self.shares, files, remedy),
        ]

    def target_remedy(self) -> str:
        """Return the advice for a loss that takes another kind of target."""
        if self.predict == "values":
            training = self._opened()["train"]
            return remedy_for_values(training.targets, training.targets_name)
        return "set predict: values if the targets are numbers to predict"

    def input_scaling(self) -> dict[str, Any]:
        """Return ``standardize``, unless it is set."""
        return {} if self.standardize or self.numbers is not None else {"standardize": True}

    def target_scaling(self) -> dict[str, Any]:
        """Return ``scale_target``, unless it is set or the targets aren't values."""
        return {"scale_target": "standardize"} if self.predict == "values" and self.scale_target == "none" else {}

    def open(self, seed: int) -> Mapping[str, ArraySplit]:
        """Return the splits by name; they depend on ``split_seed``, not on the spec's seed."""
        self.describe()
        examples = self._opened()
        largest = {
            name: (check_finite(part.inputs, part.inputs_name), check_finite(part.targets, part.targets_name))
            for name, part in examples.items()
        }
        parts = self._parts(examples)
        assert self._scaling is not None
        if self.standardize and self._scaling.means is None:
            training, rows = parts["train"]
            try:
                self._scaling = self._scaling.fitted(training.parts(rows))
            except ValueError as error:
                message = f"{error}; look for numbers that are too large, or leave out standardize"
                raise DataError(training.inputs_name, message) from error
        groups = self.encoded_elements(prod(self._scaling.raw_shape))
        if groups and not self._scaling.encodings:
            training, rows = parts["train"]
            self._scaling = self._scaling.encoded(groups, len(rows), lambda: training.parts(rows))
        self._fingerprint = _fingerprint(examples)
        return {
            name: ArraySplit(part, rows, self._scaling, largest.get(name, largest["train"]))
            for name, (part, rows) in parts.items()
        }

    def raw_arrays(self) -> list[RawArray]:
        """Return the arrays of inputs and targets."""
        examples = self._opened()
        training, parts = examples["train"], examples.values()
        return [
            raw_array(training.inputs_name, "input", (part.inputs for part in parts)),
            raw_array(training.targets_name, "target", (part.targets for part in parts)),
        ]

    def fingerprint(self) -> str:
        """Return a SHA-256 of the files' content, once opened; empty until then."""
        return self._fingerprint

    def encoder_state(self) -> dict[str, Any]:
        """Return the shape of raw inputs, and their means and deviations in the training examples."""
        return {} if self._scaling is None else self._scaling.state()

    def load_encoder_state(self, state: Mapping[str, Any]) -> None:
        """Restore shape, means and deviations."""
        shape = state.get("raw_shape")
        size = prod(shape) if isinstance(shape, list) and all(type(length) is int for length in shape) else 0
        self._scaling = Scaling.from_state(state, self.divide_by, self.encoded_elements(size))
        self._is_loaded = True

    def encoded_elements(self, size: int) -> list[EncodedElements]:
        """Return the encodings of the elements of a flat example of some size, each with the positions of these."""
        encoding = built_encoding("numbers", self.numbers)
        return [] if encoding is None else [(encoding, tuple(range(size)))]

    def locate(self, name: str) -> Path:
        """Return the path of a file, which may be an example that ships with mlpkit."""
        return located(name)

    def encode(self, raw: Array) -> Array:
        """Scale raw inputs, each in its shape or as a row."""
        if self._scaling is None:
            self.describe()
        assert self._scaling is not None
        shape = self._scaling.raw_shape
        if raw.shape[1:] not in (shape, (prod(shape),)) and not (raw.ndim == 1 and shape == (1,)):
            expected = f"(rows, {', '.join(map(str, shape))})"
            raise ShapeError(f"inputs of shape {raw.shape} don't fit the data set", expected=expected)
        check_finite(raw, "the inputs")
        x = np.empty((len(raw), *self._input_shape(shape)), self.dtype)
        self._scaling.write(raw.reshape(len(raw), *shape), x)
        return x

    def onnx(self, graph: Graph) -> Value:
        """Describe the scaling of the input ``x``, or ``image`` if files hold pixels."""
        if self._scaling is None:
            self.describe()
        assert self._scaling is not None
        if self.holds_pixels:
            meaning = "pixels from 0 to 255, each a byte"
            raw = graph.feed("image", "uint8", self._scaling.raw_shape, kind="pixels", meaning=meaning)
        else:
            dtype = "float64" if self._scaling.is_learned else graph.dtype.name
            raw = graph.feed("x", dtype, self._scaling.raw_shape)
        x = self._scaling.onnx(graph, raw)
        return graph.op("Flatten", x) if self.flatten else x

    def raw_rows(self, split: str, indices: Array) -> Array | None:
        """Return inputs of a split as in the files."""
        part, rows = self._parts(self._opened())[split]
        return part.inputs[np.asarray(rows)[indices]]

    def example_sources(self, split: str, indices: Array) -> list[str]:
        """Return the array of some examples of a split, and their positions in it, counted from 0."""
        part, rows = self._parts(self._opened())[split]
        return [f"{part.inputs_name}, example {position}" for position in np.asarray(rows)[indices].tolist()]

    def examples_in(self, examples: Examples) -> tuple[Array, ...]:
        """Return raw inputs and targets of new examples, and weights if they have any.

        Raises:
            DataError: the arrays don't belong together, or the targets don't hold what ``predict`` says.
        """
        check_pairs(examples)
        target = array_target(examples.targets, self.predict, examples.targets_name)
        check_finite(examples.targets, examples.targets_name)
        count = examples.inputs.shape[0]
        shape = () if isinstance(target, Classes) else target.array(np.dtype(np.float64))[0]
        weights = () if examples.weights is None else (examples.weights,)
        return examples.inputs[:count], examples.targets[:count].reshape(count, *shape), *weights

    def why_not_encoded(self, inputs: Array) -> str:
        """Return why inputs can't have been scaled; empty if they may have been."""
        return "" if self._scaling is None else self._scaling.why_not_written(inputs)

    def why_perhaps_not_encoded(self, inputs: Array) -> str:
        """Return why inputs probably weren't scaled; empty without a sign of that."""
        return "" if self._scaling is None else self._scaling.why_perhaps_not_written(inputs)

    def _input_shape(self, raw_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (prod(raw_shape),) if self.flatten else raw_shape

    def _opened(self) -> dict[str, Examples]:
        if self._examples is None:
            examples = self.open_files()
            shape = examples["train"].inputs.shape[1:]
            for part in examples.values():
                check_pairs(part)
                if part.inputs.shape[1:] != shape:
                    expected = f"(examples, {', '.join(map(str, shape))})"
                    raise DataError(part.inputs_name, f"has the shape {part.inputs.shape}; expected {expected}")
            self._examples = examples
        return self._examples

    def _target(self, examples: Mapping[str, Examples]) -> Target:
        targets = {name: array_target(part.targets, self.predict, part.targets_name) for name, part in examples.items()}
        for name, target in targets.items():
            if target != targets["train"] and not _is_part(target, targets["train"]):
                raise DataError(examples[name].targets_name, f"has {target}; expected {targets['train']}")
        return targets["train"]

    def _values_scaling(self, examples: Mapping[str, Examples], shape: tuple[int, ...]) -> ValuesScaling:
        if self._target_scaling is None:
            for part in examples.values():
                check_finite(part.targets, part.targets_name)
                if self.scale_target == "log":
                    check_logarithms(part.targets, part.targets_name)
            training, rows = self._parts(examples)["train"]
            try:
                log = self.scale_target == "log"
                scaling = values_scaling(training.target_parts(rows), shape, log=log)
            except ValueError as error:
                raise DataError(training.targets_name, DEVIATION_OVERFLOWS) from error
            bounds = values_range(training.target_parts(rows)) if self.clip_predictions else None
            self._target_scaling = replace(scaling, bounds=bounds)
        return self._target_scaling

    def rows_by_split(self, count: int) -> Mapping[str, Array | range]:
        """Return the positions that each split takes of the ``count`` examples of ``train``."""
        if self.split == "shuffle" and any(self.shares):
            return split_at_random(count, self.shares, self.split_seed)
        return split_in_order(count, self.shares)

    def _parts(self, examples: Mapping[str, Examples]) -> Parts:
        """Return examples and positions of each split; they are cached, since many rows take seconds."""
        if self._split_of is None or self._split_of[0] is not examples:
            rows = self.rows_by_split(examples["train"].inputs.shape[0])
            parts = {name: (examples["train"], part) for name, part in rows.items()}
            parts |= {name: (part, range(part.inputs.shape[0])) for name, part in examples.items() if name != "train"}
            parts = {name: (part, _counting(positions, part.weights)) for name, (part, positions) in parts.items()}
            in_order: Parts = {name: parts[name] for name in ("train", "validation", "test") if name in parts}
            self._split_of = examples, in_order
            return in_order
        return self._split_of[1]


def _counting(rows: Array | range, weights: Array | None) -> Array | range:
    """Return the rows whose weight is not 0."""
    if weights is None or weights.all():
        return rows
    positions: Array = np.asarray(rows)
    kept: Array = positions[weights[positions] > 0]
    return kept


def check_pairs(examples: Examples) -> None:
    """Check that the data has examples, and a target for each."""
    inputs, targets = examples.inputs, examples.targets
    for array, name in ((inputs, examples.inputs_name), (targets, examples.targets_name)):
        if not array.shape or 0 in array.shape:
            raise DataError(name, f"has the shape {array.shape}; expected a row for each example")
    if inputs.shape[0] != targets.shape[0]:
        message = f"has {targets.shape[0]:,} targets for the {inputs.shape[0]:,} examples"
        raise DataError(examples.targets_name, f"{message} of {examples.inputs_name}")


def _is_part(target: Target, whole: Target) -> bool:
    """Whether the classes of a split are some or all of the classes."""
    return isinstance(target, Classes) and isinstance(whole, Classes) and target.count <= whole.count


def _fingerprint(examples: Mapping[str, Examples]) -> str:
    import hashlib  # noqa: PLC0415 - checking a spec needs no checksum

    checksum = hashlib.sha256()
    for part in examples.values():
        for path in part.files:
            with path.open("rb") as file:
                checksum.update(hashlib.file_digest(file, "sha256").digest())
    return checksum.hexdigest()
