"""Fields of a class are the parameters of its constructor, exactly as if it were written out."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

import pytest
from annotated_types import Ge, Lt

from mlpkit import InitializerLike, Layer, Optimizer, ParameterError, PluginError, Rate
from mlpkit.components.schema.signature import schema_of
from mlpkit.verbs.ask.schema import keys_in_schema

if TYPE_CHECKING:
    from dataclasses import KW_ONLY

    import numpy as np
    from numpy.typing import NDArray


class Identity(Layer):
    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


class Fields(Identity):
    """Has its parameters as fields.

    Args:
        units: how many.
        share: how much.
        weights: first values.
    """

    units: Annotated[int, Ge(1)]
    share: Annotated[float, Ge(0), Lt(1)] = 0.5
    _: KW_ONLY
    weights: InitializerLike = "he_normal"
    rate: Rate = 0.1
    sizes: tuple[int, ...] = (1, 2)


class Written(Identity):
    """Has the same constructor, written out.

    Args:
        units: how many.
        share: how much.
        weights: first values.
    """

    def __init__(
        self,
        units: Annotated[int, Ge(1)],
        share: Annotated[float, Ge(0), Lt(1)] = 0.5,
        *,
        weights: InitializerLike = "he_normal",
        rate: Rate = 0.1,
        sizes: tuple[int, ...] = (1, 2),
    ) -> None:
        self.units = units
        self.share = share
        self.weights = weights
        self.rate = rate
        self.sizes = sizes


CALLS = [
    ((3,), {}),
    ((3, 0), {"sizes": [4, 5], "weights": 0.5}),
    ((), {"share": 0.25, "units": 2, "rate": 1}),
    ((), {}),
    ((0,), {}),
    ((1, 2, 3), {}),
    ((1, 1), {}),
    ((1,), {"units": 2}),
    ((1,), {"shares": 0.5}),
    ((1,), {"sizes": ["a"]}),
]


def outcome(owner, args, kwargs):
    try:
        built = owner(*args, **kwargs)
    except ParameterError as error:
        return str(error).replace(owner.__name__, "")
    values = {name: getattr(built, name) for name in ("units", "share", "rate", "sizes")}
    return repr(built).replace(owner.__name__, ""), values, repr(built.weights)


@pytest.mark.parametrize(("args", "kwargs"), CALLS)
def test_a_call_has_the_same_outcome_in_both_forms(args, kwargs):
    assert outcome(Fields, args, kwargs) == outcome(Written, args, kwargs)


def test_both_forms_have_one_schema(references):
    assert schema_of(Fields).fields == schema_of(Written).fields
    assert keys_in_schema(schema_of(Fields), references) == keys_in_schema(schema_of(Written), references)
    assert inspect.signature(Fields) == inspect.signature(Written)


def test_copies_and_pickles_keep_the_values():
    built = Fields(7, 0.25)
    for again in (copy.deepcopy(built), copy.copy(built), pickle.loads(pickle.dumps(built))):
        assert (again.units, again.share, again.sizes, repr(again)) == (7, 0.25, (1, 2), repr(built))


class Longer(Fields):
    """Adds a parameter, and changes a default.

    Args:
        depth: how deep.
    """

    share = 0.75
    units: Annotated[int, Ge(2)] = 2
    depth: int = 1


def test_fields_are_inherited_in_their_places():
    assert list(inspect.signature(Longer).parameters) == ["units", "share", "depth", "weights", "rate", "sizes"]
    built = Longer(4, 0.5, 3)
    assert (built.units, built.share, built.depth, Longer().share) == (4, 0.5, 3, 0.75)
    assert schema_of(Longer).docstring.parameters == {
        "depth": "how deep.",
        "units": "how many.",
        "share": "how much.",
        "weights": "first values.",
    }
    with pytest.raises(ParameterError, match="1 is out of range; expected an integer, at least 2"):
        Longer(1)


class Constructed(Fields):
    seen: int

    def __init__(self, width: int) -> None:
        super().__init__(2 * width, rate=0.5)
        self.seen = width


class BelowConstructed(Constructed):
    depth: int = 1


@pytest.mark.parametrize("owner", [Constructed, BelowConstructed])
def test_a_written_constructor_hands_on_to_fields_and_makes_annotations_mean_nothing(owner):
    assert list(inspect.signature(owner).parameters) == ["width"]
    built = owner(3)
    assert (built.units, built.share, built.rate, built.sizes, built.seen) == (6, 0.5, 0.5, (1, 2), 3)
    with pytest.raises(ParameterError, match="0 is out of range; expected an integer, at least 1"):
        owner(0)


class Mixin:
    mixed: int

    def __init__(self, mixed: int) -> None:
        self.mixed = mixed


class MixedIn(Identity, Mixin):
    pass


def test_a_constructor_that_is_mixed_in_is_called():
    assert list(inspect.signature(MixedIn).parameters) == ["mixed"]
    assert MixedIn(3).mixed == 3


class State(Identity):
    LIMIT: Final = 3
    shared: ClassVar[int] = 4
    x: NDArray[Any]
    mask: np.ndarray | None = None
    seen: dict[str, NDArray[Any]]
    _count: int = 0


class Decaying(Optimizer):
    slots: tuple[str, ...] = ("m",)
    uses_decay: bool = False
    learning_rate: Rate = 0.5

    def update(self, value, gradient, slots, step):
        value -= step.learning_rate * gradient


def test_only_parameters_are_fields():
    assert schema_of(State).fields == ()
    assert (State()._count, State().mask) == (0, None)
    assert list(schema_of(Decaying).types) == ["learning_rate"]


class OutOfOrder(Identity):
    first: int = 1
    second: int


class NamedLikeAMethod(Identity):
    flops: int = 3


class Unresolvable(Identity):
    size: Sizes  # noqa: F821 - a name that is nowhere


class Unservable(Identity):
    data: bytes


REMEDY = "; if it is not a parameter, annotate it where it is assigned, or start its name with _"


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        (
            OutOfOrder,
            "parameter 'second' has no default, and follows 'first', which has one; put it first, or write _: KW_ONLY "
            "on a line before it",
        ),
        (
            NamedLikeAMethod,
            "'flops' is a method of every Layer, and is annotated as a parameter; choose another name, or write "
            "__init__",
        ),
        (Unresolvable, f"its constructor's annotations can't be resolved: name 'Sizes' is not defined{REMEDY}"),
        (
            Unservable,
            "parameter 'data': a spec can't give a value for the annotation <class 'bytes'>; use bool, int, float, "
            "str, Literal, a union, list, tuple or dict[str, ...] of them, a kind of component, or Recipe of one"
            + REMEDY,
        ),
    ],
)
def test_a_field_that_is_no_parameter_is_explained(owner, message):
    with pytest.raises(PluginError) as caught:
        schema_of(owner)
    assert str(caught.value) == f"{owner.__module__}.{owner.__qualname__}: {message}"
