"""Checks of layers: how they are built, and composites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.components.layer import Layer
from mlpkit.errors import MlpkitError
from mlpkit.network.shape_proof import StackError, prove_shapes
from mlpkit.testing.outside_network import Projection, standalone
from mlpkit.testing.suite.check import CheckFailure, checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlpkit.testing.suite.examples.layer import LayerExample


SHAPES: Final = ((), (1,), (5,), (2, 3), (1, 4, 4), (4, 4, 2), (2, 2, 2, 2))
"""Shapes of all kinds; a layer takes some of them and refuses the rest."""


@checks_examples("layer")
def build_only_declares(example: LayerExample) -> None:
    """Does ``build`` leave arrays to the network, and declare the same each time?

    Shapes are checked before anything is allocated, so that ``mlpkit check`` is fast for networks of any size.
    """
    declared = []
    for _ in range(2):
        layer = example.make()
        before = _arrays(layer)
        shapes = prove_shapes(
            [layer, Projection()], ["Layer1", "Loss1"], example.shape, None, np.dtype("float64")
        ).shapes
        for name in sorted(_arrays(layer) - before):
            raise CheckFailure(
                f"build made the array self.{name}",
                expected="declarations only",
                remedy="declare it with self.parameter or self.state, or make it in forward with self.buffer",
            )
        parameters = [(p.path, p.shape, p.decay) for p in layer.declared_parameters()]
        declared.append((shapes, parameters, [(s.path, s.shape) for s in layer.declared_states()]))
    if declared[0] != declared[1]:
        raise CheckFailure(
            f"two layers with the same parameters declared {declared[0]} and {declared[1]}",
            expected="the same declarations for the same parameters and input shape",
        )


@checks_examples("layer")
def refuses_shapes_it_can_not_take(example: LayerExample) -> None:
    """Does ``build`` either refuse a shape with ``ShapeError`` or return the shape that ``forward`` then gives?

    Shapes are checked before data is read; the error shows the line of the spec, and what would fit.
    """
    for shape in SHAPES:
        try:
            layer = standalone(example.make(), shape, resolver=example.registry.create)
        except StackError as error:
            if not isinstance(error.cause, MlpkitError):
                raise CheckFailure(
                    f"build raised {type(error.cause).__name__} for inputs of shape {shape}: {error.cause}",
                    expected="ShapeError, or a shape",
                    remedy="begin build with self.expect_rank(input_shape, ...), or raise ShapeError",
                ) from error.cause
            continue
        _expect_works(example, layer, shape)


@checks_examples("layer")
def flops_is_a_number_of_operations(example: LayerExample) -> None:
    """Does ``flops`` return an integer from 0 up?

    The number of threads depends on it.
    """
    flops = example.ready().flops(example.shape)
    if isinstance(flops, bool) or not isinstance(flops, int) or flops < 0:
        raise CheckFailure(f"flops returned {flops!r}", expected="an integer, at least 0")


def _arrays(layer: Any) -> set[str]:
    own = {name: value for name, value in vars(layer).items() if not name.startswith("_")}
    return {name for name, value in own.items() if isinstance(value, np.ndarray) and value.size}


def _expect_works(example: LayerExample, layer: Any, shape: tuple[int, ...]) -> None:
    proof = prove_shapes([example.make(), Projection()], ["Layer1", "Loss1"], shape, None, np.dtype("float64"))
    x = example.random("shape", *shape).normal(size=(2, *shape))
    remedy = "let build raise ShapeError for shapes that the layer can't take"
    try:
        y = np.asarray(layer.forward(x))
    except Exception as error:
        raise CheckFailure(
            f"build took inputs of shape {shape}, but forward raised {type(error).__name__}: {error}",
            expected="forward to work for every shape that build takes",
            remedy=remedy,
        ) from error
    if y.shape != (2, *proof.shapes[-1]):
        raise CheckFailure(
            f"build declared {proof.shapes[-1]} for inputs of shape {shape}, but forward returned {y.shape[1:]}",
            expected="what build declared",
            remedy=remedy,
        )


@checks_examples("layer")
def layers_inside_are_declared(example: LayerExample) -> None:
    """Is every layer inside the layer declared with ``self.child``, so that it has a name below the layer's own?

    Otherwise its parameters are neither trained nor saved, and errors can't say where it is.
    """
    layer = example.ready()
    for operation in layer.operations():
        declared = {id(child) for child in operation._children.values()}
        for name, held in _layers_held_by(operation):
            if id(held) not in declared:
                raise CheckFailure(
                    f"self.{name} is a layer, {type(held).__name__}, that was not declared",
                    expected="layers inside a layer to be its children",
                    remedy="in build, call self.child(layer, input_shape) in place of layer.build(input_shape)",
                )
    paths = [parameter.path for parameter in layer.declared_parameters()]
    strangers = [path for path in paths if not path.startswith(f"{layer.path}.")]
    if strangers or len(set(paths)) < len(paths):
        raise CheckFailure(
            f"the parameters are named {', '.join(paths)}", expected=f"distinct names that begin with {layer.path}."
        )


@checks_examples("layer")
def layers_inside_may_overwrite_dy(example: LayerExample) -> None:
    """Are the results the same if every layer inside overwrites its dy?

    It may. A layer that needs its own dy after the layers inside keeps a copy.
    """
    layer, batch = example.ready(), example.batch()
    expected = example.run(layer, batch)
    for operation in list(layer.operations())[1:]:
        _overwrite_dy(operation)
    remedy = "pass dy.copy() to the layers inside if dy is needed again"
    expect_same_bits(example.run(layer, batch), expected, "when a layer inside overwrote its dy", remedy)


def _layers_held_by(operation: Any) -> Iterator[tuple[str, Layer]]:
    for name, value in vars(operation).items():
        if name.startswith("_"):
            continue
        members = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        yield from ((name, member) for member in members if isinstance(member, Layer))


def _overwrite_dy(layer: Any) -> None:
    """Make a layer overwrite its dy, once its dx is elsewhere."""
    backward = layer.backward

    def overwriting(dy: NDArray[Any]) -> NDArray[Any]:
        dx = np.array(backward(dy))
        dy[...] = np.nan
        return dx

    layer.backward = overwriting
