"""The layer MonotoneAffine."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge

from mlpkit import ColumnName, InitializerLike, Layer, ParameterError

SIGNS = {"increasing": 1, "free": 0, "decreasing": -1}


class MonotoneAffine(Layer):
    """Affine map whose outputs can only increase with some inputs, and only decrease with others.

        W  = |V| for increasing inputs, -|V| for decreasing ones, V for the rest
        y  = x W + b
        dV = xᵀ dy where W = V, -xᵀ dy where W = -V
        db = Σ dy  (over the rows of the minibatch)
        dx = dy Wᵀ

    A network is monotone if its first layer says in which columns, all others have 'rest: increasing', and its
    activations are increasing, such as 'Tanh' or 'Softplus'.

    Args:
        units: number of outputs.
        increasing: columns with which outputs increase; only for the network's first layer.
        decreasing: columns with which they decrease.
        rest: whether outputs increase or decrease with all other inputs, or may do both.
        weights: first values of V, shape (features, units).

    Shapes: x (rows, features), y (rows, units).

    Source: Daniels and Velikova, Monotone and Partially Monotone Neural Networks (2010).
    """

    units: Annotated[int, Ge(1)]
    increasing: list[ColumnName] = []
    decreasing: list[ColumnName] = []
    rest: Literal["free", "increasing", "decreasing"] = "free"
    weights: InitializerLike = "he_normal"

    def build(self, input_shape):
        """Declare V and b, and find the sign of each input's weights."""
        (features,) = self.expect_rank(input_shape, 1, remedy="put Flatten before it")
        self.signs = self._signs(input_shape) if self.increasing or self.decreasing else [SIGNS[self.rest]] * features
        self.V = self.parameter("V", (features, self.units), self.weights)
        self.b = self.parameter("b", (self.units,), "zeros", decay=False)
        return (self.units,)

    def _signs(self, input_shape):
        directions = dict.fromkeys((column.name for column in input_shape.columns), self.rest)
        for direction in ("increasing", "decreasing"):
            for name in getattr(self, direction):
                if name not in directions:
                    raise ParameterError(
                        direction,
                        f"the inputs of {self.path} have no column {name!r}",
                        expected=f"one of {', '.join(directions)}" if directions else "columns in the first layer only",
                    )
                directions[name] = direction
        return [SIGNS[directions[column.name]] for column in input_shape.columns for _ in range(column.width)]

    def forward(self, x):
        """Return y."""
        self.x = x
        self.flips = self._flips()
        self.W = self.flips * self.V.value
        return x @ self.W + self.b.value

    def _flips(self):
        """Return what V is multiplied by to give W, 1 or -1 for each weight."""
        signs = np.array(self.signs, self.dtype)[:, None]
        return np.where(signs == 0, 1, np.copysign(signs, signs * self.V.value))

    def backward(self, dy):
        """Set dV and db, and return dx."""
        self.V.grad[...] = self.flips * (self.x.T @ dy)
        self.b.grad[...] = dy.sum(axis=0)
        return dy @ self.W.T

    def onnx(self, graph):
        """Describe y."""
        W = graph.constant(self.V.path, self._flips() * self.V.value)
        return graph.op("Gemm", graph.input, W, self.b)

    @classmethod
    def examples(cls):
        """Show the layer with free, increasing and decreasing inputs."""
        return [({"units": 3, "rest": rest}, (4,)) for rest in SIGNS]
