"""A traced step as plain data, and its arrays as a file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mlpkit.errors import UsageError
from mlpkit.runs.files import write_atomically
from mlpkit.runs.model_file import save_model
from mlpkit.verbs.trace.distribution import norm_of
from mlpkit.verbs.trace.trace import BY_LAYER, BY_PARAMETER

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mlpkit.verbs.trace.distribution import Distribution
    from mlpkit.verbs.trace.trace import Trace, TracedExample

NORMED: Final = ("gradient", "clipped_gradient", "update")
ENDINGS: Final = (".npz", ".safetensors")
"""Of files that arrays are written to."""


def plain_trace(traced: Trace, example: TracedExample | None = None) -> dict[str, Any]:
    """Return what ``mlpkit trace --json`` prints: all of a step but its arrays, and of one example these, too."""
    data: dict[str, Any] = {
        "run": str(traced.folder),
        "step": traced.step,
        "epoch": traced.epoch,
        "began_after": traced.began_after,
        "learning_rate": traced.learning_rate,
        "loss": traced.loss,
        "norms": {kind: norm_of(arrays) for kind in NORMED if (arrays := getattr(traced, kind))},
        "divergence": traced.divergence,
        "changes": traced.changes,
        "examples": [_plain_example(traced, traced.example(i + 1)) for i in range(len(traced.rows))],
        "largest_losses": traced.largest_losses(),
    }
    for kind in (*BY_PARAMETER, *BY_LAYER):
        data[kind] = {name: _plain_distribution(of) for name, of in traced.distributions[kind].items()}
    if example is not None:
        data["example"] = {**_plain_example(traced, example), **_plain_layers(example)}
    return data


def _plain_example(traced: Trace, example: TracedExample) -> dict[str, Any]:
    weight = None if traced.weights is None else float(traced.weights[example.number - 1])
    return {
        "example": example.number,
        "row": example.row,
        "source": example.source or None,
        **({"columns": example.columns} if example.columns else {}),
        "label": example.label,
        "predicted": example.predicted,
        "probability": example.probability,
        "loss": example.loss,
        "share": example.share,
        **({} if weight is None else {"weight": weight}),
    }


def _plain_distribution(of: Distribution) -> dict[str, Any]:
    return {**vars(of), "edges": of.edges() if of.histogram else ()}


def _plain_layers(example: TracedExample) -> dict[str, Any]:
    arrays = ("input", "output", "output_gradient", "input_gradient")
    layers = [
        {
            "layer": layer.name,
            "type": layer.type,
            **{name: _plain_array(getattr(layer, name)) for name in arrays},
        }
        for layer in example.layers
    ]
    whole = {name: _plain_array(getattr(example, name)) for name in ("input", "target", "prediction")}
    return {**whole, "layers": layers}


def _plain_array(array: NDArray[Any] | None) -> Any:
    return None if array is None else array.tolist()


def require_array_file(path: Path) -> None:
    """Check that arrays can be written to a file of that name.

    Raises:
        UsageError: its name ends otherwise.
    """
    if path.suffix not in ENDINGS:
        raise UsageError(f"arrays can't be written to '{path}'; expected a name that ends in {' or '.join(ENDINGS)}")


def write_arrays(path: Path, traced: Trace) -> None:
    """Write all arrays of a step to a file, .npz or .safetensors.

    Raises:
        StorageError: it can't be written.
    """
    arrays = traced.arrays()
    if path.suffix == ".safetensors":
        save_model(path, arrays, {})
        return
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]  # the names clash with no keyword
    write_atomically(path, content.getvalue())
