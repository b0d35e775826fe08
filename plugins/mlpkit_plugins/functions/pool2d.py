"""The base of pooling layers, which reduce each patch of an image to a pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY
from typing import Annotated, Any, ClassVar

from annotated_types import Ge

from mlpkit import Array, Graph, Layer, Value
from mlpkit_plugins.functions.patches import Patches


class Pool2d(Layer):
    """A number for each square patch of an image, channel by channel.

    Args:
        size: pixels along each side of a patch.
        stride: pixels from one patch to the next, down and across; by default the size, so that patches don't overlap.

    Attributes:
        operator: the name of the ONNX operator.
    """

    operator: ClassVar[str]

    size: Annotated[int, Ge(1)] = 2
    _: KW_ONLY
    stride: Annotated[int, Ge(1)] | None = None

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Count the patches."""
        remedy = "put Reshape: {shape: [channels, height, width]} before it"
        channels, height, width = self.expect_rank(input_shape, 3, remedy=remedy)
        self.patches = Patches.of(self.path or self.type_name, height, width, self.size, self.stride or self.size)
        return (channels, self.patches.down, self.patches.across)

    def pixels(self, images: Array) -> Iterator[Array]:
        """Yield a view of each pixel in all patches, shape (rows, channels, down, across)."""
        for rows, columns in self.patches.pixels():
            yield images[:, :, rows, columns]

    def per_patch(self, name: str, images: Array) -> Array:
        """Return a scratch array with an element for each patch of each image."""
        shape = (*images.shape[:2], self.patches.down, self.patches.across)
        return self.buffer(name, shape, like=images)

    def onnx(self, graph: Graph) -> Value:
        """Describe y."""
        return graph.op(
            self.operator, graph.input, kernel_shape=[self.size] * 2, strides=[self.stride or self.size] * 2
        )

    @classmethod
    def examples(cls) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
        """Show the layer with adjacent and with overlapping patches."""
        return [({}, (2, 4, 5)), ({"size": 3, "stride": 1}, (1, 4, 5))]
