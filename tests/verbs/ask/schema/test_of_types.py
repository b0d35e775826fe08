"""The schema of each type that a parameter may have."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Lt, MinLen

from mlpkit import Layer, Schedule
from mlpkit.components.schema.auto import Units
from mlpkit.components.schema.signature import schema_of
from mlpkit.components.schema.types import FilePath
from mlpkit.registry.registry import Registry
from mlpkit.verbs.ask.schema import ComponentDefinitions, keys_in_schema, with_markdown


class Held(Schedule):
    """The same value in every step.

    Args:
        count: how many.
        share: how much.
    """

    count: int
    inside: Annotated[list[Layer], MinLen(2)]
    share: Annotated[float, Ge(0), Lt(1)] = 0.25
    nothing: float | None = None
    flag: bool = True
    mode: Literal["a", "b"] = "a"
    names: list[str] = []  # noqa: RUF012
    some: Annotated[list[Any], MinLen(1)] = [1]  # noqa: RUF012
    pair: tuple[int, float] = (1, 2.0)
    table: dict[str, int] = {}  # noqa: RUF012
    units: Units = 3
    file: FilePath = "a.csv"
    anything: Any = None

    def __call__(self, progress):
        return self.share


EXPECTED = {
    "count": {"type": "integer", "description": "how many."},
    "inside": {"type": "array", "items": {"$ref": "#/$defs/named_layer"}, "minItems": 2},
    "share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "description": "how much.", "default": 0.25},
    "nothing": {"anyOf": [{"type": "number"}, {"type": "null"}]},
    "flag": {"type": "boolean"},
    "mode": {"enum": ["a", "b"], "default": "a"},
    "names": {"type": "array", "items": {"type": "string"}},
    "some": {"type": "array", "minItems": 1},
    "pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "number"}], "minItems": 2, "maxItems": 2},
    "table": {"type": "object", "additionalProperties": {"type": "integer"}},
    "units": {"anyOf": [{"type": "integer", "minimum": 1}, {"enum": ["auto"]}], "default": 3},
    "file": {"type": "string", "format": "path", "default": "a.csv"},
    "anything": {},
}


def test_each_type_has_its_schema():
    references = ComponentDefinitions(Registry.discover())
    found = keys_in_schema(schema_of(Held), references)
    assert found.pop("properties") == EXPECTED
    assert found == {"type": "object", "additionalProperties": False, "required": ["count", "inside"]}
    layer = references.definitions()["named_layer"]
    assert (layer["title"], layer["description"].partition(" ")[0]) == ("a layer", "A")
    mapping, *names = layer["anyOf"]
    relu, affine = mapping["properties"]["Relu"], mapping["properties"]["Affine"]
    assert {"const": "Relu", "description": relu["description"]} in names
    assert "Affine" not in {each["const"] for each in names}
    assert (relu["type"], affine["type"], affine["required"]) == (["object", "null"], "object", ["units"])
    assert relu["properties"]["name"]["pattern"] == r"^([^$.]|\$\$)+$"
    assert mapping["errorMessage"].startswith("expected a layer: Affine, Relu, ")
    sizes = {key: mapping[key] for key in ("type", "additionalProperties", "minProperties", "maxProperties")}
    assert sizes == {"type": "object", "additionalProperties": False, "minProperties": 1, "maxProperties": 1}


def test_descriptions_with_code_or_paragraphs_are_markdown():
    plain, code, long = ({"description": text} for text in ("A b.", "A `b`.", "A.\n\nB."))
    marked = [each | {"markdownDescription": each["description"]} for each in (code, long)]
    assert with_markdown({"a": [plain, code], "b": long}) == {"a": [plain, marked[0]], "b": marked[1]}
