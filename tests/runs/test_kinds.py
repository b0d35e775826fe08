"""The kinds of folder that hold runs."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

from mlpkit.runs.kinds import ENSEMBLE_RUN, KINDS, RUN, SEEDS_FOLDER, SWEEP_FOLDER, kind_of, members_of, runs_in

KEPT = Path(__file__).parents[1] / "run_folders/folders/kept"


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("one", RUN),
        ("stopped", RUN),
        ("seeds", SEEDS_FOLDER),
        ("seeds_stopped", SEEDS_FOLDER),
        ("seeds_stopped/seed-4", RUN),
        ("folds", ENSEMBLE_RUN),
        ("folds_stopped", ENSEMBLE_RUN),
        ("folds/members/1", RUN),
        ("rates", SWEEP_FOLDER),
        ("rates/trial-0", RUN),
        ("specs", None),
        ("one/checkpoints", None),
        ("one/lock.json", None),
        ("missing", None),
    ],
)
def test_a_folder_is_recognised(folder, kind):
    assert kind_of(KEPT / folder) is kind


def test_the_runs_of_a_folder_go_by_their_numbers():
    assert members_of(KEPT / "seeds") == {3: KEPT / "seeds/seed-3", 4: KEPT / "seeds/seed-4"}
    assert members_of(KEPT / "folds") == {0: KEPT / "folds/members/0", 1: KEPT / "folds/members/1"}
    assert members_of(KEPT / "one") == {0: KEPT / "one"}


def test_the_runs_in_a_folder_are_those_of_every_kind():
    assert runs_in(KEPT / "specs") == [KEPT / "specs/digits", KEPT / "specs/folds"]
    assert runs_in(KEPT / "rates") == [KEPT / "rates/trial-0", KEPT / "rates/trial-1"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_a_row_names_is_there_and_takes_the_same_arguments_as_in_the_others(kind):
    for column, count in (("group", None), ("resume", 2), ("evaluate", 5), ("report", 4)):
        reference = getattr(kind, column)
        module, _, name = reference.partition(":")
        if reference or column != "group":
            found = getattr(importlib.import_module(module), name)
            if count is not None:
                inspect.signature(found).bind(*range(count), **({"port": 0, "workers": 1} if count == 2 else {}))
