"""The OpenAPI document of the server, with the columns of its models."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, Final

from mlpkit.verbs.serve.inference import inputs_of
from mlpkit.verbs.serve.rows import NUMBER
from mlpkit.version import VERSION

if TYPE_CHECKING:
    from mlpkit.verbs.serve.models import Loaded, Models


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": [*properties], "properties": properties}


def _list(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": _object(**properties)}


TEXT: Final = {"type": "string"}
WARNINGS: Final = {"type": "array", "items": TEXT}
OF_A_PROBLEM: Final = dict.fromkeys(("code", "message", "path", "expected", "help", "docs"), True)
SCHEMAS: Final = {
    "Problems": _object(ok={"const": False}, error=TEXT, problems=_list(**OF_A_PROBLEM), warnings=WARNINGS),
    "Predictions": _object(model=TEXT, version=TEXT, predictions=_list(row={}), warnings=WARNINGS),
    "Tensors": _object(model_name=TEXT, model_version=TEXT, outputs=_list(name=TEXT, datatype=TEXT, shape={}, data={})),
}
REFUSED: Final = {
    "400": "The body can't be read.",
    "404": "There is no such address, model or version.",
    "405": "The address takes another method.",
    "408": "The body doesn't arrive in time.",
    "413": "The body is too large.",
    "415": "The body has another format.",
    "422": "The rows, or the query, are wrong; the problems tell where.",
    "503": "Too many requests wait, or the answer took too long.",
}


def openapi(models: Models) -> dict[str, Any]:
    """Return the document."""
    paths: dict[str, Any] = {
        "/": _get("The page that documents the models and tries them", "text/html"),
        "/openapi.json": _get("This document"),
        "/health": _get("Which models are served, and how many requests wait"),
        "/metrics": _get("Metrics for Prometheus", "text/plain"),
        "/v2": _get("Name, version and extensions of the server"),
        "/v2/health/live": _get("Whether the server lives"),
        "/v2/health/ready": _get("Whether all models are loaded"),
    }
    if len(models.versions) == 1:
        paths["/predict"] = _predict(models.find().loaded)
    for name in models.versions:
        loaded = models.find(name).loaded
        paths[f"/models/{name}/predict"] = _predict(loaded)
        paths[f"/v2/models/{name}"] = _get(f"What {name} takes and gives")
        paths[f"/v2/models/{name}/ready"] = _get(f"Whether {name} is loaded")
        paths[f"/v2/models/{name}/infer"] = {"post": _infer(loaded)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "mlpkit serve", "version": VERSION},
        "paths": paths,
        "components": {"schemas": SCHEMAS},
    }


def _get(summary: str, kind: str = "application/json") -> dict[str, Any]:
    schema = {"type": "object"} if kind == "application/json" else TEXT
    answered = {"200": {"description": summary, "content": {kind: {"schema": schema}}}}
    return {"get": {"summary": summary, "responses": answered | _refused("405", "503")}}


def _refused(*statuses: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problems"}}}
    return {status: {"description": REFUSED[status], "content": content} for status in statuses or REFUSED}


def _predict(loaded: Loaded) -> dict[str, Any]:
    truth = {"type": "boolean", "default": False}
    query = [{"name": "explain", "in": "query", "description": "Explain each prediction.", "schema": truth}]
    rows = {"schema": {"type": "array", "minItems": 1, "items": row_schema(loaded)}, "example": [row_example(loaded)]}
    return {
        "post": {
            "summary": f"Predict for rows: {rows_in_words(loaded)}",
            "parameters": query,
            "requestBody": {"required": True, "content": {"application/json": rows}},
            "responses": _answered("Predictions"),
        }
    }


def _infer(loaded: Loaded) -> dict[str, Any]:
    """Describe inference for one row; in requests of n rows, shapes begin with n."""
    tensors = [_tensor_schema(loaded, index, each) for index, each in enumerate(inputs_of(loaded))]
    inputs = {"type": "array", "prefixItems": tensors, "minItems": len(tensors), "maxItems": len(tensors)}
    schema = _object(inputs={**inputs, "items": False})
    return {
        "summary": "Infer, as the Open Inference Protocol, version 2, has it",
        "description": "The schema is that of one row. For n rows, shapes begin with n, and data has as many elements.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": _answered("Tensors"),
    }


def _tensor_schema(loaded: Loaded, index: int, tensor: dict[str, Any]) -> dict[str, Any]:
    shape = [1, *tensor["shape"][1:]]
    value = loaded.columns[index].schema_in_tensor if loaded.columns else NUMBER
    name = {"const": tensor["name"]} if loaded.columns else TEXT
    data = {"type": "array", "items": value, "minItems": prod(shape), "maxItems": prod(shape)}
    return _object(name=name, datatype={"const": tensor["datatype"]}, shape={"const": shape}, data=data)


def _answered(name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    content = {"application/json": {"schema": schema}}
    return {"200": {"description": "What the model predicts.", "content": content}} | _refused()


def rows_in_words(loaded: Loaded) -> str:
    """Return the forms of rows that a model takes."""
    numbers, objects = "nested lists of numbers", "a list of JSON objects, or CSV with a header (text/csv)"
    return numbers if loaded.columns is None else objects


def row_schema(loaded: Loaded) -> dict[str, Any]:
    """Return the JSON Schema of a row: an object, or nested lists of numbers."""
    if loaded.columns is not None:
        return _object(**{column.name: column.schema for column in loaded.columns})
    schema = NUMBER
    for length in reversed(loaded.model.network.input_shape):
        schema = {"type": "array", "items": schema, "minItems": length, "maxItems": length}
    return schema


def row_example(loaded: Loaded) -> Any:
    """Return a row that the model takes."""
    if loaded.columns is not None:
        return {column.name: column.example for column in loaded.columns}
    example: Any = 0
    for length in reversed(loaded.model.network.input_shape):
        example = [example] * length
    return example
