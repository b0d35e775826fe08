"""Examples and checks of exporters: files have the same bytes each time, and compute the same as the model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from mlpkit.components.exporter import Exporter, ModelGraph
from mlpkit.components.graph import ML_DOMAIN, Graph
from mlpkit.components.target import Classes, Values
from mlpkit.errors import EngineMissingError, NotExportableError
from mlpkit.graph.evaluator import evaluate
from mlpkit.graph.provenance import find_provenance
from mlpkit.testing.suite.check import Arrays, CheckFailure, NotApplicable, checks_component, checks_examples, require
from mlpkit.testing.suite.plugin_under_test import ROWS, ComponentUnderTest, Example

INPUTS: Final = 4
COLOURS: Final = ("blue", "red")
TOLERANCE: Final = 1e-5
PROVENANCE: Final = {"mlpkit": "0", "run": "conformance", "name": "conformance", "inputs": []}


class ExporterExample(Example):
    """An exporter that writes small models, which predict values or classes from arrays or from a table."""

    sample = "[{'digits': 6}]"

    def models(self) -> dict[str, ModelGraph]:
        """Return the models, by description."""
        return {
            "a network that predicts values": _model(self, Values((2,))),
            "a network that predicts classes": _model(self, Classes(2)),
            "a network that takes a text": _model(self, Values((2,)), text=True),
            "a network with an unknown operator": _model(self, Values((2,)), operator="Bend"),
        }

    @contextmanager
    def written(self, model: ModelGraph) -> Iterator[tuple[Exporter, Path]]:
        """Write a model into a new folder, and yield the exporter and the file."""
        exporter: Exporter = self.make()
        with TemporaryDirectory() as folder:
            file = Path(folder) / f"model{exporter.ending}"
            exporter.write(model, file)
            names = sorted(path.name for path in Path(folder).iterdir())
            happened, expected = f"write left {names} in the folder", f"only the file {file.name}"
            require(names == [file.name], happened, expected=expected, remedy="write only to the given path")
            yield exporter, file

    def written_models(self) -> Iterator[tuple[str, ModelGraph, Exporter, Path]]:
        """Yield the models that can be written, each with the exporter and the file."""
        for what, model in self.models().items():
            try:
                with self.written(model) as (exporter, file):
                    yield what, model, exporter, file
            except NotExportableError:
                continue

    def exercise(self) -> Arrays:
        """Return the bytes of each file."""
        contents = {what: np.frombuffer(file.read_bytes(), np.uint8) for what, _, _, file in self.written_models()}
        happened = f"write raises NotExportableError for {' and '.join(self.models())}"
        require(contents, happened, expected="a file for one of them")
        return contents


def _model(example: ExporterExample, target: Values | Classes, *, text: bool = False, operator: str = "") -> ModelGraph:
    """Return a network of two affine layers with a rectifier between them, and perhaps an operator at its end.

    It may take a text, which becomes a number, in addition to an array.
    """
    rng = example.random("weights")

    def weights(*shape: int) -> Any:
        return rng.normal(size=shape).astype(np.float32)

    graph = Graph(np.dtype(np.float32), (INPUTS,))
    encoded = graph.feed("x", "float32", (INPUTS,))
    width = INPUTS
    if text:
        colour = graph.feed("colour", "str", kind="category", choices=COLOURS)
        numbers = {"keys_strings": [*COLOURS], "values_int64s": [1, 2], "default_int64": 0}
        number = graph.cast(graph.op("LabelEncoder", colour, domain=ML_DOMAIN, **numbers), np.float32)
        encoded = graph.op("Concat", encoded, graph.op("Reshape", number, np.array([-1, 1])), axis=1)
        width += 1
    hidden = graph.op(
        "Gemm", encoded, graph.constant("Affine1.W", weights(width, 3)), graph.constant("Affine1.b", weights(3))
    )
    relu = graph.op("Relu", hidden)
    logits = graph.op("Gemm", relu, graph.constant("Affine2.W", weights(3, 2)), graph.constant("Affine2.b", weights(2)))
    if operator:
        logits = graph.op(operator, logits)
    prediction = graph.op("Softmax", logits, axis=-1) if isinstance(target, Classes) else logits
    if isinstance(target, Classes):
        graph.outputs["label"] = graph.op("ArgMax", prediction, axis=1, keepdims=0)
    graph.outputs["probabilities" if isinstance(target, Classes) else "value"] = prediction
    return ModelGraph(graph, target, encoded, logits, prediction, None, None, PROVENANCE)


@checks_component("exporter", says_why_unusable=True)
def says_its_ending(subject: ComponentUnderTest) -> None:
    """Is ``ending`` the ending of its file names, such as ``.onnx``?

    ``mlpkit export --to`` chooses the exporter by it.
    """
    ending = getattr(subject.component, "ending", None)
    require(
        isinstance(ending, str) and re.fullmatch(r"\.[a-z0-9_]+", ending),
        f"the ending of {subject.component.__name__} is {ending!r}",
        expected="a dot and lower-case letters or digits",
        remedy='write ending = ".txt" in the class',
    )


@checks_examples("exporter", says_why_unusable=True)
def refuses_clearly_what_it_cannot_hold(example: ExporterExample) -> None:
    """Is a model either written or refused with ``NotExportableError``?

    Users then see which layer can't be exported, not a traceback.
    """
    for what, model in example.models().items():
        try:
            with example.written(model):
                pass
        except (NotExportableError, CheckFailure):
            continue
        except Exception as error:
            raise CheckFailure(
                f"write raised {type(error).__name__} for {what}: {error}",
                expected="a file, or NotExportableError",
                remedy="look up each operator in a table, and raise NotExportableError if it isn't there",
            ) from error


@checks_examples("exporter")
def the_file_says_what_it_came_from(example: ExporterExample) -> None:
    """Does the file contain the model's provenance, from ``mlpkit.graph.provenance_line`` or ``provenance_json``?

    ``mlpkit provenance`` uses it to find the run of a file.
    """
    for what, model, _, file in example.written_models():
        require(
            find_provenance(file.read_bytes()) == model.provenance,
            f"the file of {what} doesn't contain the model's provenance",
            expected="a line of provenance",
            remedy="write mlpkit.graph.provenance_line(model.provenance) into a comment of the file",
        )


@checks_examples("exporter")
def the_file_computes_what_the_model_does(example: ExporterExample) -> None:
    """Does ``compute`` compute the same from the file as the model's operators?

    ``mlpkit export`` keeps a file only if it does; without ``compute``, a file is kept untested.
    """
    if type(example.make()).compute is Exporter.compute:
        raise NotApplicable("it has no method compute")
    for what, model, exporter, file in example.written_models():
        rows = {"x": example.random("rows").normal(size=(ROWS, INPUTS)).astype(np.float32)}
        if "colour" in model.graph.feeds:
            rows["colour"] = np.resize(np.array([*COLOURS, "", "green"], object), ROWS)
        names = [*model.graph.outputs, *(model.graph.nodes[-1].outputs if exporter.shows_values else ())]
        try:
            results = exporter.compute(file, model, rows, names)
        except EngineMissingError as error:
            raise NotApplicable(str(error)) from error
        expected = evaluate(model.graph, rows)
        for name in names:
            found = results.get(name)
            happened = f"for {what}, compute returned {found!r} for {name}"
            require(
                _are_close(found, expected[name]), happened, expected=f"{expected[name]!r}, as mlpkit.graph.evaluate"
            )


def _are_close(result: Any, expected: Any) -> bool:
    if np.shape(result) != expected.shape:
        return False
    is_number = expected.dtype.kind == "f"
    return np.allclose(result, expected, TOLERANCE, TOLERANCE) if is_number else bool(np.all(result == expected))
