"""Writes ``pytabkit.json``: a table, and what pytabkit 1.7.3 makes of it before its first layer.

Run it where pytabkit, torch and pandas are installed: ``python pytabkit_reference.py > pytabkit.json``. Numbers have no
missing value, which pytabkit refuses; categories have some.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pandas as pd
import torch
from pytabkit.models.data.conversion import ToDictDatasetConverter
from pytabkit.models.data.data import DictDataset, TensorInfo
from pytabkit.models.nn_models.models import EncodingFactory, PreprocessingFactory, SingleOneHotFactory
from pytabkit.models.utils import TabrQuantileTransformer

ROWS, TRAINING = 180, 150
SCALED = ["median_center", "robust_scale", "smooth_clip"]


def table() -> pd.DataFrame:
    """Return numbers and categories of several kinds."""
    rng = np.random.default_rng(1)
    letters = np.array(list("abcdefghijklmn"))
    frame = pd.DataFrame(
        {
            "even": rng.normal(2, 3, ROWS).round(4),
            "skewed": rng.lognormal(0, 2, ROWS).round(4),
            "mostly_zero": np.where(rng.random(ROWS) < 0.9, 0.0, rng.normal(size=ROWS).round(4)),
            "constant": np.full(ROWS, 4.0),
            "sex": rng.choice(["f", "m"], ROWS),
            "plan": rng.choice(list("xyz"), ROWS),
            "town": rng.choice(letters, ROWS),
        }
    )
    for name in ("sex", "plan", "town"):
        frame[name] = frame[name].astype(object)
        frame.loc[rng.random(ROWS) < 0.1, name] = np.nan  # pytabkit takes None for a category
    frame.loc[ROWS - 1, "plan"] = "never seen"
    return frame


def transformed(part: DictDataset, like: DictDataset, tfms: list[str], **config: Any) -> DictDataset:
    """Return what a chain of transformations, fitted on ``like``, makes of a part."""
    fitter = PreprocessingFactory(tfms=tfms, **config).create(like.tensor_infos)
    layer, _ = fitter.fit_transform(like)
    return layer(part)


def main() -> None:
    """Write the table, the numbers and the one-hot columns as RealMLP-TD takes them, and TabM's numbers."""
    frame = table()
    frame_in_parts = frame[:TRAINING], frame[TRAINING:]
    converter = ToDictDatasetConverter()
    parts = [converter.fit_transform(frame_in_parts[0]), converter.transform(frame_in_parts[1])]
    target = {"y": TensorInfo(cat_sizes=[2])}
    for part in parts:
        part.tensor_infos = {**part.tensor_infos, **target}
        part.tensors["y"] = torch.zeros((len(part.tensors["x_cont"]), 1), dtype=torch.long)
    one_hot = EncodingFactory(SingleOneHotFactory(max_one_hot_cat_size=9), enc_output_name="x_one_hot")
    numbers, categories, indices = [], [], []
    for part in parts:
        only = lambda ds: DictDataset(  # noqa: E731
            {"x_cont": ds.tensors["x_cont"], "y": ds.tensors["y"]},
            {"x_cont": ds.tensor_infos["x_cont"], "y": ds.tensor_infos["y"]},
            "cpu",
            ds.n_samples,
        )
        numbers += transformed(only(part), only(parts[0]), SCALED).tensors["x_cont"].tolist()
        without = lambda ds: DictDataset(  # noqa: E731
            {"x_one_hot": torch.zeros((ds.n_samples, 0)), **{n: ds.tensors[n] for n in ("x_cat", "y")}},
            {"x_one_hot": TensorInfo(feat_shape=[0]), **{n: ds.tensor_infos[n] for n in ("x_cat", "y")}},
            "cpu",
            ds.n_samples,
        )
        layer, encoded_training = one_hot.create(without(parts[0]).tensor_infos).fit_transform(without(parts[0]))
        found = transformed(layer(without(part)), encoded_training, ["one_hot", *SCALED], max_one_hot_cat_size=9)
        categories += found.tensors["x_cont"].tolist()
        indices += found.tensors["x_cat"].tolist()
    columns = frame[["even", "skewed", "mostly_zero"]].to_numpy()
    quantile = TabrQuantileTransformer(random_state=0).fit(columns[:TRAINING]).transform(columns)
    json.dump(
        {
            "training": TRAINING,
            "table": json.loads(frame.to_json(orient="split", index=False)),
            "numbers": numbers,
            "one_hot": categories,
            "indices": indices,
            "quantile": quantile.tolist(),
        },
        sys.stdout,
    )


main()
