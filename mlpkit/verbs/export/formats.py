"""The kinds of files that a model leaves as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from mlpkit.errors import UsageError
from mlpkit.exports.c_file import compute_c, write_c
from mlpkit.exports.html_file import compute_html, write_html
from mlpkit.exports.js_engines import compute_js
from mlpkit.exports.js_file import write_js
from mlpkit.exports.onnx_file import compute_onnx, write_onnx

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from mlpkit.graph.model_graph import ModelGraph

Arrays: TypeAlias = "Mapping[str, NDArray[Any]]"
"""Arrays by name, all with as many rows."""


class Format(NamedTuple):
    """A kind of file.

    Args:
        write: writes a model to a file.
        compute: returns what a written file computes for rows, or raises ``EngineMissingError``. It is given the file,
            the model, the rows by the names of the raw inputs, and the names of what is wanted: outputs, and if
            ``shows_values``, any values of the graph. Then rows may also be given for other values than the raw inputs.
        shows_values: whether ``compute`` knows the values inside the graph, so that a proof can compare each of them.
        quantizes: whether it can hold weights as integers times a scale.
    """

    write: Callable[[ModelGraph, Path], None]
    compute: Callable[[Path, ModelGraph, Arrays, Collection[str]], Mapping[str, NDArray[Any]]]
    shows_values: bool = False
    quantizes: bool = False


FORMATS: Final[dict[str, Format]] = {
    ".c": Format(write_c, compute_c, shows_values=True, quantizes=True),
    ".html": Format(write_html, compute_html, shows_values=True),
    ".js": Format(write_js, compute_js, shows_values=True),
    ".onnx": Format(write_onnx, compute_onnx, shows_values=True),
}
"""The formats by the ending of a file's name."""


def format_of(path: Path) -> Format:
    """Return the format that a file's name asks for.

    Raises:
        UsageError: there is no such format.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        expected = f"expected a name that ends in {', '.join(FORMATS)}"
        raise UsageError(f"'{path}' doesn't say what to export as; {expected}, such as model.onnx") from None
