"""The image kernels in NumPy, for float64, and for use without compiled kernels.

Images have the shape (width, channels, height, rows). For a convolution, they are cut into strips, one pixel wide and
as high as a patch. Adjacent patches share all strips but one, so strips take less memory than patches by a factor of
the patch size, and the strips of a patch are contiguous. A patch has ``size`` pixels along each side, and patches begin
every ``stride`` pixels, down and across.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mlpkit import Array


def pad_images(x: Array, padding: int, out: Array) -> Array:
    """Set out to images in memory order, padded with zeros on all four sides, and return it.

    Shapes: x (rows, channels, height, width), out (width + 2 padding, channels, height + 2 padding, rows).
    """
    if padding:
        out[...] = 0
    width, _, height, _ = out.shape
    out[padding : width - padding, :, padding : height - padding] = x.transpose(3, 1, 2, 0)
    return out


def flatten_images(x: Array, out: Array) -> Array:
    """Set out to images as rows of features, and return it.

    Shapes: x (rows, channels, height, width), out (rows, channels · height · width).
    """
    out[...] = x.reshape(out.shape)
    return out


def convolution(x: Array, W: Array, b: Array | None, stride: int, out: Array) -> Array:
    """Set out to the convolution of padded images, and return it.

        out[j, f, i, n] = b[f] + Σ W[f, c, p, q] x[j stride + q, c, i stride + p, n]  (over c, p and q)

    Shapes: x (width, channels, height, rows), W (filters, channels, size, size), b (filters,),
        out (across, filters, down, rows).
    """
    across, filters, down, _ = out.shape
    strips = _strips(x, W.shape[3], stride, down)
    by_strip = W.transpose(0, 3, 1, 2).reshape(filters, -1)  # a row for each filter, in the order of a patch's strips
    for j in range(across):
        y = by_strip @ _patch_matrix(strips, j, W.shape[3], stride)
        out[j] = y.reshape(filters, down, -1)
    if b is not None:
        out += b[:, np.newaxis, np.newaxis]
    return out


def convolution_inputs_gradient(dy: Array, W: Array, stride: int, padding: int, out: Array) -> Array:
    """Set out to the gradient of the images inside the padding, and return it.

    Shapes: dy (across, filters, down, rows), W (filters, channels, size, size), out (width, channels, height, rows).
    """
    (across, filters, down, rows), (_, channels, _, size) = dy.shape, W.shape
    width, height = out.shape[0] + 2 * padding, out.shape[2] + 2 * padding
    strips = np.empty((width, channels, size, down, rows), dy.dtype)
    by_column = W.transpose(3, 0, 1, 2)
    for column, strip in enumerate(strips):
        j = np.arange(max(0, -((size - 1 - column) // stride)), min(across, column // stride + 1))
        of_column = by_column[column - stride * j].reshape(len(j) * filters, channels * size)
        patches = dy[j[0] : j[-1] + 1].reshape(len(of_column), -1) if len(j) else dy[:0].reshape(0, down * rows)
        np.matmul(of_column.T, patches, out=strip.reshape(channels * size, -1))
    dx = np.zeros((width, channels, height, rows), dy.dtype) if padding else out
    dx[...] = 0
    for p in range(size):
        dx[:, :, p : p + stride * (down - 1) + 1 : stride] += strips[:, :, p]
    if padding:
        out[...] = dx[padding : width - padding, :, padding : height - padding]
    return out


def convolution_weights_gradient(x: Array, dy: Array, stride: int, dW: Array, db: Array | None) -> Array:
    """Set dW to the gradient of the weights, and db to that of the bias if it is given, and return dW.

    Shapes: x and dW as in ``convolution``, dy as its out, db (filters,).
    """
    (across, filters, down, _), (_, channels, _, size) = dy.shape, dW.shape
    strips = _strips(x, size, stride, down)
    of_columns = (_patch_matrix(strips, j, size, stride) @ dy[j].reshape(filters, -1).T for j in range(across))
    dW[...] = sum(of_columns).reshape(size, channels, size, filters).transpose(3, 1, 2, 0)
    if db is not None:
        np.sum(dy, axis=(0, 2, 3), out=db)
    return dW


def average_pool(x: Array, size: int, stride: int, out: Array) -> Array:
    """Set out to the mean pixel of each patch, and return it.

    Shapes: x (rows, channels, height, width), out (rows, channels, down, across).
    """
    *_, down, across = out.shape
    out[...] = 0
    for p in range(size):
        for q in range(size):
            out += x[:, :, p : p + stride * (down - 1) + 1 : stride, q : q + stride * (across - 1) + 1 : stride]
    out /= size**2
    return out


def max_pool(x: Array, size: int, stride: int, out: Array) -> Array:
    """Set out to the largest pixel of each patch, and return it.

    Shapes: x (width, channels, height, rows), out (across, channels, down, rows).
    """
    out[...] = -np.inf
    for pixels in _pixels(x, size, stride, out):
        np.maximum(out, pixels, out=out)
    return out


def max_pool_gradient(x: Array, y: Array, dy: Array, size: int, stride: int, out: Array) -> Array:
    """Set out to the sum of dy over the patches in which a pixel is the first maximum, and return it.

    Shapes: x and out as in ``max_pool``; y, its output, and dy (across, channels, down, rows).
    """
    left = dy.copy()
    out[...] = 0
    for pixels, gradient in zip(_pixels(x, size, stride, y), _pixels(out, size, stride, y), strict=True):
        share = left * (pixels == y)
        np.add(gradient, share, out=gradient)
        left -= share  # only the first maximum gets it
    return out


def _pixels(images: Array, size: int, stride: int, y: Array) -> Iterator[Array]:
    """Yield a view of each pixel in all patches, of the shape of y."""
    across, _, down, _ = y.shape
    for p in range(size):
        for q in range(size):
            columns = slice(q, q + stride * (across - 1) + 1, stride)
            yield images[columns, :, p : p + stride * (down - 1) + 1 : stride]


def _strips(x: Array, size: int, stride: int, down: int) -> Array:
    """Return the strips of all columns of pixels, shape (width, channels, size, down, rows)."""
    width, channels, _, rows = x.shape
    strips = np.empty((width, channels, size, down, rows), x.dtype)
    for p in range(size):
        strips[:, :, p] = x[:, :, p : p + stride * (down - 1) + 1 : stride]
    return strips


def _patch_matrix(strips: Array, j: int, size: int, stride: int) -> Array:
    """Return the strips of a column of patches as a matrix with a column for each patch."""
    _, channels, _, down, rows = strips.shape
    return strips[j * stride : j * stride + size].reshape(size * channels * size, down * rows)
