"""A trained model as operators: what an exporter gets, and what it needs to read it.

Names are loaded when they are first used, as those of ``mlpkit`` are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpkit.lazy_names import lazy_names

if TYPE_CHECKING:  # "as" marks the name as public
    from mlpkit.components.exporter import ModelGraph as ModelGraph
    from mlpkit.components.graph import Feed as Feed
    from mlpkit.components.graph import Node as Node
    from mlpkit.graph.evaluator import evaluate as evaluate
    from mlpkit.graph.evaluator import operator_of as operator_of
    from mlpkit.graph.network_graph import LOGITS as LOGITS
    from mlpkit.graph.probes import probe_rows as probe_rows
    from mlpkit.graph.provenance import MARKER as MARKER
    from mlpkit.graph.provenance import provenance_json as provenance_json
    from mlpkit.graph.provenance import provenance_line as provenance_line
    from mlpkit.graph.quantization import Int8Weights as Int8Weights
    from mlpkit.graph.quantization import exact_int8_weights as exact_int8_weights

_HOME_OF = {
    "Feed": "mlpkit.components.graph",
    "Int8Weights": "mlpkit.graph.quantization",
    "LOGITS": "mlpkit.graph.network_graph",
    "MARKER": "mlpkit.graph.provenance",
    "ModelGraph": "mlpkit.components.exporter",
    "Node": "mlpkit.components.graph",
    "evaluate": "mlpkit.graph.evaluator",
    "operator_of": "mlpkit.graph.evaluator",
    "exact_int8_weights": "mlpkit.graph.quantization",
    "probe_rows": "mlpkit.graph.probes",
    "provenance_json": "mlpkit.graph.provenance",
    "provenance_line": "mlpkit.graph.provenance",
}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - the names are those of the table above

__getattr__ = lazy_names(globals(), _HOME_OF)


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
