"""The exporter text."""

import json

import numpy as np

from mlpkit import Exporter, ExportError, NotExportableError
from mlpkit.graph import provenance_line

HEADER = "acme 1"
DTYPES = {1: "float32", 7: "int64", 11: "float64"}


def _softmax(x, axis=-1):
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


OPERATORS = {
    "Add": lambda a, b: a + b,
    "ArgMax": lambda x, axis=0, keepdims=1: np.argmax(x, axis, keepdims=bool(keepdims)),
    "Cast": lambda x, to: x.astype(DTYPES[to]),
    "Div": lambda a, b: a / b,
    "Flatten": lambda x, axis=1: x.reshape(len(x), -1),
    "Gemm": lambda a, b, c: a @ b + c,
    "Mul": lambda a, b: a * b,
    "Relu": lambda x: np.maximum(x, 0),
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Softmax": _softmax,
    "Sub": lambda a, b: a - b,
    "Tanh": np.tanh,
}


class Text(Exporter):
    """A model as lines of text: arrays, then an operator a line.

    Source: the ONNX specification, for what an operator computes.
    """

    ending = ".acme"

    def write(self, model, file):
        """Write the arrays and the operators, a line each."""
        graph = model.graph
        lines = [HEADER, f"# {provenance_line(model.provenance)}"]
        lines += [json.dumps(["input", name]) for name in graph.feeds]
        for name, array in graph.constants.items():
            if array.dtype.kind not in "fiub":
                raise NotExportableError(f"{name} holds {array.dtype}; this format has numbers only")
            lines.append(json.dumps(["array", name, str(array.dtype), list(array.shape), array.ravel().tolist()]))
        for node in graph.nodes:
            self._check(node)
            lines.append(
                json.dumps(["op", node.operator, list(node.inputs), list(node.outputs), dict(node.attributes)])
            )
        lines += [json.dumps(["output", name, value.name]) for name, value in graph.outputs.items()]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def compute(self, file, model, feeds, names):
        """Read the file, and compute its operators one after the other."""
        lines = file.read_text(encoding="utf-8").splitlines()
        if lines[0] != HEADER:
            raise ExportError(f"{file} doesn't begin with '{HEADER}'")
        values, found = {}, {}
        for kind, *rest in (json.loads(line) for line in lines[1:] if not line.startswith("#")):
            if kind == "input":
                values[rest[0]] = feeds[rest[0]]
            elif kind == "array":
                name, dtype, shape, numbers = rest
                values[name] = np.array(numbers, dtype).reshape(shape)
            elif kind == "op":
                operator, inputs, outputs, attributes = rest
                values[outputs[0]] = OPERATORS[operator](*(values[name] for name in inputs), **attributes)
            else:
                found[rest[0]] = values[rest[1]]
        return {name: found[name] for name in names}

    def _check(self, node):
        """Refuse an operator that the format doesn't know."""
        if node.operator not in OPERATORS or node.attributes.get("to", 1) not in DTYPES:
            known = ", ".join(sorted(OPERATORS))
            raise NotExportableError(f"{node.made_by} uses {node.operator}; .acme files know {known}", node.made_by)
