# Written by docs/generate.py.
from mlpkit.components.exporter import ModelGraph as ModelGraph
from mlpkit.components.graph import Feed as Feed
from mlpkit.components.graph import Node as Node
from mlpkit.graph.evaluator import evaluate as evaluate
from mlpkit.graph.evaluator import operator_of as operator_of
from mlpkit.graph.model_graph import LOGITS as LOGITS
from mlpkit.graph.probes import probe_rows as probe_rows
from mlpkit.graph.provenance import MARKER as MARKER
from mlpkit.graph.provenance import provenance_json as provenance_json
from mlpkit.graph.provenance import provenance_line as provenance_line
from mlpkit.graph.quantization import Int8Weights as Int8Weights
from mlpkit.graph.quantization import exact_int8_weights as exact_int8_weights
