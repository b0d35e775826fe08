"""Random specs on tables and arrays: encodings, layers and losses; and rows with gaps and unknown categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS: Final = ("standardize", "min_max", "quantile", "robust_smooth_clip", "none")
LAYERS: Final = (
    "Relu",
    "Gelu",
    "Silu",
    "Tanh",
    "Sigmoid",
    "Mish",
    "Selu",
    "Softplus",
    "Elu",
    "Prelu",
    "BatchNorm",
    "Dropout",
)
PARTS: Final = ("elapsed", "year", "month", "day", "yearday", "weekday", "hour")
TARGETS: Final = ("price", "share", "kind", "sold", "new", "visits")


class Ending(NamedTuple):
    """A loss with a target that it takes: units of the layer before, columns, what they hold, and other keys."""

    loss: Any
    units: int
    target: str | list[str]
    predict: str
    others: dict[str, Any] = {}  # noqa: RUF012 - never changed


ENDINGS: Final = (
    Ending("SoftmaxWithLoss", 3, "kind", "classes"),
    Ending("SigmoidWithLoss", 1, "sold", "classes"),
    Ending("SigmoidWithLoss", 2, ["sold", "new"], "labels"),
    Ending("MeanSquaredError", 2, ["price", "share"], "values"),
    Ending("Huber", 1, "share", "values", {"scale_target": "log"}),
    Ending({"Pinball": {"quantiles": [0.1, 0.5, 0.9]}}, 3, "price", "values"),
    Ending("Ordinal", 1, "visits", "classes", {"classes": [str(i) for i in range(9)]}),
    Ending("Poisson", 1, "visits", "values"),
)


def random_rows(seed: int, count: int, *, unknown: bool) -> list[dict[str, str]]:
    """Return rows of a table as texts; one value in seven is missing.

    Args:
        seed: where chance begins.
        count: how many.
        unknown: whether some categories occur in no other table, and some numbers are far from all others.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        inputs = {
            "age": f"{rng.normal(40, 13):.2f}",
            "income": f"{rng.lognormal(5, 1):.3f}",
            "member": str(rng.choice(["yes", "no"])),
            "town": f"town {int(rng.exponential(2))}",
            "shop": str(rng.choice(["baker", "grocer"])),
            "size": str(rng.choice(["small", "middle", "large"])),
            "when": str(np.datetime64("2010-01-01") + np.timedelta64(int(rng.integers(6e8)), "s")),
        }
        if unknown and rng.random() < 0.4:
            inputs |= {"town": "nowhere", "shop": "florist"} | {
                "age": str(rng.choice(["1e30", "-0.0", "1e-300", "-9"]))
            }
        outputs = {"price": f"{rng.normal(100, 20):.2f}", "share": f"{rng.exponential(3) + 0.1:.3f}"}
        outputs |= {"kind": str(rng.choice(["a", "b", "c"])), "visits": str(rng.integers(9))}
        outputs |= {name: str(rng.integers(2)) for name in ("sold", "new")}
        rows.append({name: "" if rng.random() < 1 / 7 else value for name, value in inputs.items()} | outputs)
    return rows


@st.composite
def random_specs_of_tables(draw: st.DrawFn, file: str) -> dict[str, Any]:
    """Draw a spec for the table of ``random_rows``.

    Args:
        draw: draws from other strategies.
        file: the file of the table.
    """
    ending, numbers = draw(st.sampled_from(ENDINGS)), draw(st.sampled_from((*NUMBERS, "piecewise_linear")))
    categories = draw(st.sampled_from(["one_hot", "index", "ordinal"]))
    targets = ending.target if isinstance(ending.target, list) else [ending.target]
    csv = {
        "file": file,
        "target": ending.target,
        "predict": ending.predict,
        "ignore": [name for name in TARGETS if name not in targets],
        "categorical": ["town", "shop"],
        "ordinal": {"size": ["small", "middle", "large"]},
        "dates": ["when"],
        "date_parts": draw(st.lists(st.sampled_from(PARTS), min_size=1, max_size=3, unique=True)),
        "missing": draw(st.sampled_from(["fill", "indicate"])),
        "missing_texts": draw(st.sampled_from([[""], ["", "-9"]])),
        "unknown": "zeros",
        "rare": draw(st.sampled_from([1, 5])),
        "numbers": numbers,
        "categories": categories,
        "sign_of_two": categories == "one_hot" and draw(st.booleans()),
        "encode_one_hot": categories == "one_hot" and numbers in NUMBERS[:4] and draw(st.booleans()),
        **ending.others,
    }
    embedded = [{"Columns": {"categories": [{"Embedding": {"size": 4}}]}}] if categories == "index" else []
    return _spec({"csv": {**csv, "test": 0.2}}, [*embedded, *draw(_hidden_layers())], ending)


@st.composite
def random_specs_of_arrays(draw: st.DrawFn, file: str) -> dict[str, Any]:
    """Draw a spec for arrays ``x``, shape (rows, 3), and ``t``, classes from 0 to 2.

    Args:
        draw: draws from other strategies.
        file: the file of the arrays.
    """
    data = {"file": file, "numbers": draw(st.sampled_from(NUMBERS)), "divide_by": draw(st.sampled_from([1, 255]))}
    return _spec({"npz": {**data, "test": 0.2}}, draw(_hidden_layers()), ENDINGS[0])


def random_arrays(seed: int, count: int) -> dict[str, NDArray[Any]]:
    """Return arrays of float64: seconds since 1970, numbers around 0, and large ones."""
    rng = np.random.default_rng(seed)
    x = np.stack([rng.uniform(1.7e9, 1.7e9 + 300, count), rng.normal(size=count), rng.lognormal(9, 2, count)], axis=1)
    return {"x": x, "t": rng.integers(3, size=count)}


@st.composite
def _hidden_layers(draw: st.DrawFn) -> list[Any]:
    hidden = st.tuples(st.sampled_from([1, 5, 16, 33]).map(lambda n: {"Affine": {"units": n}}), st.sampled_from(LAYERS))
    return [layer for pair in draw(st.lists(hidden, max_size=3)) for layer in pair]


def _spec(data: dict[str, Any], hidden: list[Any], ending: Ending) -> dict[str, Any]:
    return {
        "mlpkit": 1,
        "name": "random",
        "data": data,
        "layers": [*hidden, {"Affine": {"units": ending.units}}, ending.loss],
        "training": {"optimizer": {"adam": {"learning_rate": 0.01}}, "iterations": 10},
    }
