"""A trained model as a graph of operators, and helpers with which exporters read it.

Names are loaded when they are first used, and type checkers read ``__init__.pyi``, as with ``mlpkit``.
"""

from __future__ import annotations

from mlpkit.lazy_names import lazy_names

_HOME_OF = {
    "Feed": "mlpkit.components.graph",
    "Int8Weights": "mlpkit.graph.quantization",
    "LOGITS": "mlpkit.graph.model_graph",
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

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - the table above has the names

__getattr__, __dir__ = lazy_names(globals(), _HOME_OF)
