"""A model as an ONNX file, and its computation with onnxruntime."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeAlias

import numpy as np

from mlpkit import Array, EngineMissingError, Exporter, ExportError, NotExportableError, UsageError, __version__
from mlpkit.graph import MARKER, Feed, ModelGraph, Node, evaluate, probe_rows, provenance_json

Proto: TypeAlias = Any
"""A message of the package onnx, which may be missing."""

OPSET: Final = 17
"""The newest version of the operators to use, since older programs can't read newer files."""

ML_OPSET: Final = 2
IR_VERSION: Final = 8

BATCH: Final = "rows"
"""The name of the first axis, which has any length."""

ROWS_TOGETHER: Final = 1024
_INSTALL: Final = 'install it with: pip install "mlpkit[onnx]"'


class OnnxFile(Exporter):
    """A graph of ONNX operators, for onnxruntime and other engines.

    Each raw input is an input, and the first axis of each output is the batch. The file requires the oldest version of
    the operators that has all of them. It is proved with onnxruntime.

    Source: the ONNX specification, opset 17, and version 2 of the domain ai.onnx.ml.
    """

    ending = ".onnx"
    shows_values = True

    def write(self, model: ModelGraph, file: Path) -> None:
        """Write a model as an ONNX file."""
        try:
            import onnx  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise UsageError(f"writing .onnx needs the package onnx; {_INSTALL}") from error
        proto = _model(onnx, model)
        try:
            onnx.checker.check_model(proto, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise NotExportableError(f"the operators are not what ONNX allows: {str(error).splitlines()[0]}") from error
        file.write_bytes(proto.SerializeToString(deterministic=True))

    def compute(
        self, file: Path, model: ModelGraph, feeds: Mapping[str, Array], names: Collection[str]
    ) -> dict[str, Array]:
        """Compute with the file in onnxruntime."""
        try:
            import onnx  # noqa: PLC0415 - an extra
            import onnxruntime  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise EngineMissingError(f"onnxruntime is missing; {_INSTALL}") from error
        try:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            content = _part(onnx, onnx.load(file), feeds, names).SerializeToString()
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            wanted = {each.name for each in session.get_inputs()}
            rows = len(next(iter(feeds.values())))
            parts = [
                session.run(
                    list(names),
                    {name: array[begin : begin + ROWS_TOGETHER] for name, array in feeds.items() if name in wanted},
                )
                for begin in range(0, rows, ROWS_TOGETHER)
            ]
        except Exception as error:  # onnxruntime's exceptions have no common base
            raise ExportError(f"onnxruntime can't run {file.name}: {error}") from error
        return dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True))


def _model(onnx: ModuleType, model: ModelGraph) -> Proto:
    helper, graph = onnx.helper, model.graph
    rows = probe_rows(model, None)
    known = evaluate(graph, rows)
    nodes = [
        helper.make_node(
            each.operator, each.inputs, each.outputs, each.outputs[0], domain=each.domain, **each.attributes
        )
        for each in graph.nodes
    ]
    nodes += [helper.make_node("Identity", [value.name], [name], name) for name, value in graph.outputs.items()]
    inputs = [_input(onnx, feed) for feed in graph.feeds.values()]
    outputs = [_value_info(onnx, name, known[name].dtype, known[name].shape[1:]) for name in graph.outputs]
    constants = [
        onnx.numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in graph.constants.items()
    ]
    name = str(model.provenance.get("name", "mlpkit"))
    proto = helper.make_model(
        helper.make_graph(nodes, name, inputs, outputs, constants),
        producer_name="mlpkit",
        producer_version=__version__,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in _opsets(onnx, graph.nodes).items()],
    )
    helper.set_model_props(proto, {MARKER: provenance_json(model.provenance)})
    return proto


def _opsets(onnx: ModuleType, nodes: Iterable[Node]) -> dict[str, int]:
    """Return the required version of each domain: the lowest in which the operators are the same as in opset 17."""
    versions = {"": 1}
    for node in nodes:
        newest = OPSET if not node.domain else ML_OPSET
        try:
            schema = onnx.defs.get_schema(node.operator, newest, node.domain)
        except onnx.defs.SchemaError as error:
            what = f"{node.made_by} uses the operator {node.operator}"
            message = f"{what}, which ONNX doesn't have in version {newest}"
            raise NotExportableError(message, node.made_by) from error
        versions[node.domain] = max(versions.get(node.domain, 1), schema.since_version)
    return versions


def _input(onnx: ModuleType, feed: Feed) -> Proto:
    """Return an input with a description of its content and shape."""
    info = _value_info(onnx, feed.name, feed.dtype, feed.shape)
    shape = ", ".join(map(str, (BATCH, *feed.shape))) if feed.shape else f"{BATCH},), a vector and not ({BATCH}, 1"
    info.doc_string = "; ".join(filter(None, [f"{feed.kind}: {feed.dtype} of shape ({shape})", feed.meaning]))
    return info


def _value_info(onnx: ModuleType, name: str, dtype: np.dtype[Any] | str, shape: tuple[int, ...]) -> Proto:
    dtype = np.dtype(dtype)
    kind = onnx.TensorProto.STRING if dtype.kind in "OU" else onnx.helper.np_dtype_to_tensor_dtype(dtype)
    return onnx.helper.make_tensor_value_info(name, kind, [BATCH, *shape])


def _part(onnx: ModuleType, proto: Proto, feeds: Mapping[str, Array], wanted: Collection[str]) -> Proto:
    """Return the part of a model that computes the wanted values from the feeds, or the model itself."""
    graph = proto.graph
    if {each.name for each in graph.input} <= feeds.keys() and {*wanted} <= {each.name for each in graph.output}:
        return proto
    needed, kept = {*wanted}, []
    for node in reversed(graph.node):
        if needed & {*node.output} - feeds.keys():
            needed |= {*node.input}
            kept.append(node)
    known = {name: array for name, array in feeds.items() if name in needed}
    inputs = [_value_info(onnx, name, array.dtype, array.shape[1:]) for name, array in known.items()]
    outputs = [onnx.ValueInfoProto(name=name) for name in wanted]
    constants = [constant for constant in graph.initializer if constant.name in needed]
    part = onnx.helper.make_graph(kept[::-1], graph.name, inputs, outputs, constants)
    return onnx.helper.make_model(part, ir_version=proto.ir_version, opset_imports=proto.opset_import)
