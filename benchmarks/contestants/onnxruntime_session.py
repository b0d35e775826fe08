"""onnxruntime, which only predicts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import onnxruntime
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import ModelProto

    from contestants.contestant import Arrays
    from contestants.task import Task

OPSET, IR_VERSION = 17, 8
"""Old enough for every onnxruntime that is supported."""


class OnnxruntimeSession:
    """A session with the network as exporters write it: an operator for each layer, which the session then fuses.

    It has as many threads as it chooses, one for each core, unless the environment sets another number.
    """

    def __init__(self, task: Task, _: NDArray[np.uint8], __: NDArray[np.int64], parameters: Arrays) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
        model = model_of(task, parameters).SerializeToString()
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities."""
        probabilities: NDArray[np.float32] = self.session.run(None, {"x0": x})[0]
        return probabilities


def model_of(task: Task, parameters: Arrays) -> ModelProto:
    """Return the task's layers with these parameters."""
    last = len(task.widths) - 2
    nodes = []
    for i in range(last + 1):
        nodes.append(helper.make_node("Gemm", [f"x{i}", f"W{i}", f"b{i}"], [f"y{i}"]))
        activation = task.after[0] if i < last else "Softmax"
        nodes.append(helper.make_node(activation, [f"y{i}"], [f"x{i + 1}"]))
    weights = [numpy_helper.from_array(array, f"{'Wb'[i % 2]}{i // 2}") for i, array in enumerate(parameters)]
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width])
        for name, width in (("x0", task.widths[0]), (f"x{last + 1}", task.widths[-1]))
    )
    graph = helper.make_graph(nodes, "network", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
