"""Layers that hold layers: the ones inside are declared, and get a dy that is theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlpkit.components.layer import Layer
from mlpkit.testing.suite.check import checks_examples
from mlpkit.testing.suite.comparison import expect_same_bits
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlpkit.testing.suite.examples.layer import LayerExample


@checks_examples("layer")
def layers_inside_are_declared(example: LayerExample) -> None:
    """Is every layer inside the layer declared with ``self.child``, and so has a name below the layer's own?

    Otherwise its parameters are neither trained nor saved, and errors can't say where it is.
    """
    layer = example.ready()
    for operation in layer.operations():
        declared = {id(child) for child in operation._children.values()}
        for name, held in _layers_held_by(operation):
            if id(held) not in declared:
                raise Nonconformity(
                    f"self.{name} is a layer, {type(held).__name__}, that was not declared",
                    expected="layers inside a layer to be its children",
                    remedy="in build, call self.child(layer, input_shape) in place of layer.build(input_shape)",
                )
    paths = [parameter.path for parameter in layer.declared_parameters()]
    strangers = [path for path in paths if not path.startswith(f"{layer.path}.")]
    if strangers or len(set(paths)) < len(paths):
        raise Nonconformity(
            f"the parameters are called {', '.join(paths)}", expected=f"distinct names that begin with {layer.path}."
        )


@checks_examples("layer")
def layers_inside_may_overwrite_dy(example: LayerExample) -> None:
    """Does the same come out if every layer inside overwrites the dy that it is given?

    It is allowed to. A layer that needs its own dy again, after the ones inside had it, keeps a copy.
    """
    layer, batch = example.ready(), example.batch()
    expected = example.run(layer, batch)
    for operation in list(layer.operations())[1:]:
        _overwrite_dy(operation)
    remedy = "hand dy.copy() to the layers inside if dy is needed again"
    expect_same_bits(example.run(layer, batch), expected, "when a layer inside overwrote its dy", remedy)


def _layers_held_by(operation: Any) -> Iterator[tuple[str, Layer]]:
    for name, value in vars(operation).items():
        if name.startswith("_"):
            continue
        members = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        yield from ((name, member) for member in members if isinstance(member, Layer))


def _overwrite_dy(layer: Any) -> None:
    """Make a layer write over its dy, once it has its dx elsewhere."""
    backward = layer.backward

    def overwriting(dy: NDArray[Any]) -> NDArray[Any]:
        dx = np.array(backward(dy))
        dy[...] = np.nan
        return dx

    layer.backward = overwriting
