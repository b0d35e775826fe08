"""A constructor's signature, read as a schema."""

from __future__ import annotations

import importlib
import sys
from dataclasses import make_dataclass
from typing import Annotated

import pytest
from annotated_types import Ge

from mlpkit import CategoryEncodingLike, EncodingLike, Initializer, InitializerLike, Layer, ParameterError, PluginError
from mlpkit.components.schema.context import CheckContext
from mlpkit.components.schema.recipe import built
from mlpkit.components.schema.signature import REQUIRED, Section, SectionType, schema_of
from mlpkit.verbs.ask.schema import keys_in_schema


class Conv(Layer):
    """A convolution.

    Args:
        filters: number of filters.
        weights: first values.
    """

    def __init__(
        self,
        filters: Annotated[int, Ge(1)],
        size: tuple[int, int] = (3, 3),
        *,
        weights: InitializerLike = "he_normal",
        bias: bool = True,
        note: str | None = None,
    ):
        """Set it up.

        Args:
            size: size of a filter.
            filters: never read: the class's docstring goes first.
        """

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


class Bare(Conv):
    def __init__(self):
        pass


class Single(Conv):
    def __init__(self, depth: int):
        pass


class Pair(Conv):
    def __init__(self, depth: int, width: int = 1):
        pass


class Encoded(Conv):
    def __init__(
        self,
        filters: int,
        encoding: str = "utf-8",
        numbers: EncodingLike | None = None,
        categories: CategoryEncodingLike = "one_hot",
    ):
        pass


class Heir(Conv):
    """Inherits its constructor."""


def faults(owner, given, **options):
    context = CheckContext()
    assert schema_of(owner).check(given, ("layers", 0), context, **options) is None
    return [str(fault) for fault in context.faults]


def test_parameters_stand_in_their_order_with_their_defaults():
    fields = schema_of(Conv).fields
    assert [field.name for field in fields] == ["filters", "size", "weights", "bias", "note"]
    assert [field.default for field in fields] == [REQUIRED, (3, 3), "he_normal", True, None]
    assert [field.required for field in fields] == [True, False, False, False, False]


def test_defaults_are_filled_in():
    checked = schema_of(Conv).check({"filters": 8}, (), CheckContext())
    assert built(checked) == {"filters": 8, "size": (3, 3), "weights": "he_normal", "bias": True, "note": None}


def test_the_docstring_of_the_class_goes_before_that_of_its_constructor():
    assert schema_of(Conv).docstring.summary == "A convolution."
    assert schema_of(Conv).docstring.parameters == {
        "filters": "number of filters.",
        "weights": "first values.",
        "size": "size of a filter.",
    }


def test_constructors_without_parameters_and_inherited_ones():
    class Nothing(Initializer):
        def __call__(self, shape, fans, rng, dtype):
            raise NotImplementedError

    assert schema_of(Bare).fields == ()
    assert schema_of(Nothing).fields == ()
    assert schema_of(Nothing).docstring.summary == ""
    assert schema_of(Heir).fields == schema_of(Conv).fields


SHARED = """
from __future__ import annotations
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated
from annotated_types import Ge
from mlpkit import ParameterError

Size = Annotated[int, Ge(1)]


@dataclass(eq=False)
class Window:
    \"\"\"Which part of its inputs a layer sees.

    Args:
        size: length of the window.
        stride: distance of two windows.
        names: what to call them.
    \"\"\"

    size: Size
    _: KW_ONLY
    stride: Size = 1
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.stride > self.size:
            raise ParameterError("stride", "leaves gaps")
"""
POOLING = """
from __future__ import annotations
from dataclasses import KW_ONLY, dataclass
from mlpkit import Layer
from shared_window import Window

Size = float


@dataclass(eq=False)
class Pooling(Window, Layer):
    \"\"\"Takes the largest.

    Args:
        power: of the norm.
        stride: steps between windows.
    \"\"\"

    power: Size = 4.0
    _: KW_ONLY
    stride: int = 2
    forward = backward = lambda self, x: x


class Average(Pooling):
    pass
"""


@pytest.fixture
def pooling(tmp_path, monkeypatch):
    """Return a module of components that inherit parameters from a dataclass of another module."""
    (tmp_path / "shared_window.py").write_text(SHARED)
    (tmp_path / "pooling_layers.py").write_text(POOLING)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("pooling_layers")
    for module in ("pooling_layers", "shared_window"):
        del sys.modules[module]


def test_a_dataclass_inherits_parameters_meanings_and_checks(pooling):
    for owner in (pooling.Pooling, pooling.Average):
        schema = schema_of(owner)
        types = {name: found.describe() for name, found in schema.types.items()}
        assert types == {
            "size": "an integer, at least 1",  # and not the number that its subclass's module calls Size
            "power": "a number",
            "stride": "an integer",
            "names": "a list, each a string",
        }
        assert [field.default for field in schema.fields] == [REQUIRED, 4.0, 2, []]
        assert [field.keyword_only for field in schema.fields] == [False, False, True, True]
        assert schema.docstring.parameters == {
            "size": "length of the window.",
            "power": "of the norm.",
            "stride": "steps between windows.",
            "names": "what to call them.",
        }
    layer = pooling.Average(3, power=1)
    assert (layer.size, layer.power, layer.stride, layer.names) == (3, 1.0, 2, [])
    assert layer.names is not pooling.Average(3).names
    with pytest.raises(ParameterError, match=r"^size: 0 is out of range; expected an integer, at least 1$"):
        pooling.Pooling(0)
    with pytest.raises(ParameterError, match=r"^stride: leaves gaps$"):
        pooling.Pooling(size=1)


def test_every_fault_is_reported_at_once():
    assert faults(Conv, {"filters": 0, "size": [1], "bais": False}, subject="layer Conv") == [
        "layers.0.bais: unknown parameter 'bais' of layer Conv; did you mean 'bias'?",
        "layers.0.filters: 0 is out of range; expected an integer, at least 1",
        "layers.0.size: the list has 1 item; expected a list of 2 items: an integer, an integer",
    ]


def test_a_missing_parameter_is_described():
    assert faults(Conv, {}, noun="key") == ["layers.0: missing key 'filters'; expected filters: an integer, at least 1"]


def test_unknown_and_missing_parameters_are_faults_of_the_key_and_wrong_ones_of_the_value():
    context = CheckContext()
    schema_of(Conv).check({"colour": 1, "size": 3}, (), context)
    assert [(fault.path, fault.at_key) for fault in context.faults] == [
        (("colour",), True),
        ((), True),
        (("size",), False),
    ]


@pytest.mark.parametrize(
    ("owner", "given", "expected"),
    [
        (Conv, "filters", "one of filters, size, weights, bias, note"),
        (Pair, "depth", "one of depth, width"),
        (Single, "depth", "depth"),
    ],
)
def test_all_parameters_are_listed_if_no_name_is_near(owner, given, expected):
    assert faults(owner, {given: 1, "colour": 2}) == [
        f"layers.0.colour: unknown parameter 'colour'; expected {expected}"
    ]


@pytest.mark.parametrize(
    ("owner", "key", "meant"),
    [
        (Conv, "initializer", "weights"),
        (Conv, "weight_initializers", "weights"),
        (Encoded, "encodings", "numbers"),
        (Encoded, "category_encoding", "categories"),
        (Encoded, "numeric_encoding", "numbers"),
        (Encoded, "encodng", "encoding"),
    ],
)
def test_the_name_of_a_kind_stands_for_the_parameter_that_takes_it(owner, key, meant):
    expected = f"layers.0.{key}: unknown parameter '{key}'; did you mean '{meant}'?"
    assert faults(owner, {"filters": 1, key: "zeros"})[-1] == expected


def test_a_misspelt_parameter_is_not_reported_as_missing_too():
    assert faults(Conv, {"filter": 1}) == ["layers.0.filter: unknown parameter 'filter'; did you mean 'filters'?"]


def test_a_parameter_given_twice_in_two_spellings_names_the_one_that_is_meant():
    assert faults(Conv, {"filters": 1, "filter": 1}) == [
        "layers.0.filter: unknown parameter 'filter'; did you mean 'filters'?"
    ]


def test_a_component_without_parameters_takes_none():
    assert faults(Bare, {"units": 3}, subject="layer Bare") == [
        "layers.0.units: unknown parameter 'units' of layer Bare; expected no parameters at all"
    ]


def test_describes_itself_in_json_schema(references):
    assert keys_in_schema(schema_of(Conv), references) == {
        "type": "object",
        "properties": {
            "filters": {"type": "integer", "minimum": 1, "description": "number of filters."},
            "size": {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "integer"}],
                "minItems": 2,
                "maxItems": 2,
                "description": "size of a filter.",
            },
            "weights": {
                "anyOf": [{"type": "number"}, {"$ref": "#/initializer"}],
                "description": "first values.",
                "default": "he_normal",
            },
            "bias": {"type": "boolean"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "additionalProperties": False,
        "required": ["filters"],
    }
    assert keys_in_schema(schema_of(Bare), references) == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


class Untyped(Bare):
    def __init__(self, units, size: int = 3):
        pass


class Starred(Bare):
    def __init__(self, *sizes: int):
        pass


class DoublyStarred(Bare):
    def __init__(self, **sizes: int):
        pass


class PositionalOnly(Bare):
    def __init__(self, size: int, /):
        pass


class Unresolvable(Bare):
    def __init__(self, size: Sizes):  # noqa: F821 - a name that is nowhere
        pass


class Unservable(Bare):
    def __init__(self, size: int, data: bytes):
        pass


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        (
            Untyped,
            "parameter 'units' of its constructor has no annotation; expected the type that a spec may give, as in "
            "units: float",
        ),
        (Starred, "parameter '*sizes: 'int'' of its constructor can't be given in a spec; name each parameter"),
        (DoublyStarred, "parameter '**sizes: 'int'' of its constructor can't be given in a spec; name each parameter"),
        (PositionalOnly, "parameter 'size: 'int'' of its constructor can't be given in a spec; name each parameter"),
        (Unresolvable, "its constructor's annotations can't be resolved: name 'Sizes' is not defined"),
        (
            Unservable,
            "parameter 'data': a spec can't give a value for the annotation <class 'bytes'>; use bool, int, float, "
            "str, Literal, a union, list, tuple or dict[str, ...] of them, a kind of component, or Recipe of one",
        ),
    ],
)
def test_a_constructor_that_is_no_schema_is_refused(owner, message):
    with pytest.raises(PluginError) as caught:
        schema_of(owner)
    assert str(caught.value) == f"{owner.__module__}.{owner.__qualname__}: {message}"


@pytest.mark.parametrize(
    ("count", "remedy"), [(1, "its keys: k0"), (8, "its keys: k0, k1, k2, k3, k4, k5, k6, k7"), (9, "")]
)
def test_the_keys_of_a_section_are_listed_if_they_are_few(count, remedy):
    owner = make_dataclass("Few", [(f"k{i}", int, 0) for i in range(count)], bases=(Section,), frozen=True)
    owner.title, context = "few", CheckContext()
    SectionType(owner).check(5, ("few",), context)
    (fault,) = context.faults
    assert (fault.message, fault.expected, fault.remedy) == (
        "5 is not a mapping",
        "a mapping with the keys of few",
        remedy,
    )
