"""Images: the order of their axes, their patches, and pools over these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

from annotated_types import Ge

from mlpkit import Array, Graph, Layer, ShapeError, Value
from mlpkit_plugins.kernels import pad_images

IN_MEMORY = (3, 1, 2, 0)
"""The transposition from (rows, channels, height, width) to the memory order (width, channels, height, rows), in which
the same pixel of all images is contiguous. It is its own inverse."""


def in_memory(layer: Layer, name: str, images: Array, padding: int = 0) -> Array:
    """Return images in memory order, as ``put_in_memory`` does, once."""
    return put_in_memory(layer, name, images, padding)()


def put_in_memory(layer: Layer, name: str, images: Array, padding: int = 0) -> Callable[[], Array]:
    """Return a function that returns images in memory order: a new copy each time, unless they have it already.

    Images have the shape (rows, channels, height, width); the copy is in a buffer of the layer, and may be padded by
    pixels of zeros on all four sides.
    """
    turned = images.transpose(IN_MEMORY)
    if not padding and turned.flags.c_contiguous:
        return lambda: turned
    width, channels, height, rows = turned.shape
    shape = (width + 2 * padding, channels, height + 2 * padding, rows)
    return partial(pad_images, images, padding, layer.buffer(name, shape, images.dtype))


@dataclass(frozen=True)
class Patches:
    """The square patches of an image: as many as fit, from the upper left corner.

    Args:
        size: pixels along each side of a patch.
        stride: pixels from one patch to the next.
        down: the number of patches from top to bottom.
        across: the number of patches from left to right.
    """

    size: int
    stride: int
    down: int
    across: int

    @classmethod
    def of(cls, who: str, height: int, width: int, size: int, stride: int) -> Patches:
        """Return the patches of an image, (height - size) // stride + 1 from top to bottom, and the same across.

        Raises:
            ShapeError: no patch fits; ``who`` is the layer.
        """
        if min(height, width) < size:
            raise ShapeError(
                f"{who} can't take images of {height} by {width} pixels", expected=f"at least {size} by {size}"
            )
        return cls(size, stride, (height - size) // stride + 1, (width - size) // stride + 1)

    def pixels(self) -> Iterator[tuple[slice, slice]]:
        """Yield an index, height and width, for each pixel of a patch; it selects that pixel of all patches."""
        for i in range(self.size):
            for j in range(self.size):
                rows = slice(i, i + self.stride * (self.down - 1) + 1, self.stride)
                columns = slice(j, j + self.stride * (self.across - 1) + 1, self.stride)
                yield rows, columns


class Pool2d(Layer):
    """A number for each square patch of an image, channel by channel.

    Args:
        size: pixels along each side of a patch.
        stride: pixels from one patch to the next, down and across; by default the size, so that patches don't overlap.
    """

    operator: ClassVar[str]
    """The name of the ONNX operator."""

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
