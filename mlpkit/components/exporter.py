"""Exporters: what writes a trained model to a file that other programs use."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mlpkit.components.component import Component
from mlpkit.components.target import Target
from mlpkit.errors import EngineMissingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlpkit.components.graph import Graph, Value


@dataclass(frozen=True)
class ModelGraph:
    """All that an exporter needs: the graph, and what its values are.

    Args:
        graph: the operators; its ``outputs`` are what leaves, by name.
        target: what is predicted.
        encoded: what the network takes, as a value of the graph.
        logits: what the loss takes; if values are predicted, they are in the target's unit.
        prediction: what ``predict`` returns: probabilities, or values.
        class_names: the names of the classes, in the order of their probabilities; None if they are just numbers.
        target_names: a name for each label or number predicted; None if they have none.
        provenance: what the model came from, as plain data; each file carries it.
        examples: rows of the run's data, by the names of the raw inputs.
        quantized: whether weights that are integers times a scale leave as such.
    """

    graph: Graph
    target: Target
    encoded: Value
    logits: Value
    prediction: Value
    class_names: tuple[str, ...] | None
    target_names: tuple[str, ...] | None
    provenance: Mapping[str, Any]
    examples: Mapping[str, NDArray[Any]] | None = None
    quantized: bool = False


class Exporter(Component):
    """Writes a trained model to a file that other programs use.

    Attributes:
        ending: how the names of its files end, such as ``.onnx``; ``mlpkit export --to`` chooses the exporter by it.
        shows_values: whether ``compute`` knows the values inside the graph, so that the proof compares each of them.
        quantizes: whether it can hold weights as integers times a scale.
    """

    kind = "exporter"
    ending: ClassVar[str]
    shows_values: ClassVar[bool] = False
    quantizes: ClassVar[bool] = False

    @abstractmethod
    def write(self, model: ModelGraph, file: Path) -> None:
        """Write a model to a file: the same bytes for the same model and the same name of the file.

        Args:
            model: the model.
            file: where to write it; nothing else is kept of what is written.

        Raises:
            NotExportableError: such a file can't hold the model.
            UsageError: a package is missing.
        """

    def compute(
        self, file: Path, model: ModelGraph, feeds: Mapping[str, NDArray[Any]], names: Collection[str]
    ) -> Mapping[str, NDArray[Any]]:
        """Compute rows with a written file, so that mlpkit can prove it; without this method, it is kept unproved.

        Args:
            file: the file.
            model: what was written to it.
            feeds: rows, by the names of the raw inputs; if ``shows_values``, also for other values of the graph.
            names: the outputs that are wanted; if ``shows_values``, also values of the graph.

        Returns:
            An array for each name.

        Raises:
            EngineMissingError: nothing is installed that can run the file.
            ExportError: the file doesn't run.
        """
        raise EngineMissingError(f"{self.registered_name} has no method compute")
