"""Parquet files of the user's: damage is caught as far as the format can tell, and never costs more than the file."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from fuzzing.damage import flipped_bits, mutants, truncations
from fuzzing.watch import Limits, campaign
from requirements import require_package

from mlpkit_plugins.files.named_file import EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

Parquet = require_package("mlpkit_plugins.datasets.parquet").Parquet

CONTENT = (EXAMPLES / "machines.parquet").read_bytes()
LIMITS = Limits(memory=40_000_000)


def load(path: Path) -> Any:
    options: dict[str, Any] = {"ignore": ("measured_at",), "categorical": ("site",), "missing": "fill"}
    return Parquet(str(path), "fails", unknown="zeros", validation=0, test=0, **options).describe()


def a_table(found: Any) -> bool:
    """Whether there are as many rows as in the file: nothing guards the numbers, the names and the texts themselves."""
    return 0 < found.sizes["train"] <= 640


def test_every_truncation(tmp_path: Path) -> None:
    inputs = list(truncations(CONTENT))[::3]
    assert campaign(load, inputs, tmp_path / "x.parquet", limits=LIMITS).refused == len(inputs)


@pytest.mark.parametrize(
    ("count", "step"), [pytest.param(200, 797, id="short"), pytest.param(20_000, 7, id="long", marks=pytest.mark.fuzz)]
)
def test_mutants_and_flipped_bits(tmp_path: Path, count: int, step: int) -> None:
    print("seed 11")  # noqa: T201 - to repeat a failure
    path = tmp_path / "x.parquet"
    campaign(
        load, mutants(CONTENT, random.Random(11), count), path, may_accept=a_table, limits=LIMITS, names_file=False
    )
    campaign(load, list(flipped_bits(CONTENT))[::step], path, may_accept=a_table, limits=LIMITS, names_file=False)
