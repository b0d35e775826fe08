"""What a rank that helps rank 0 says if it doesn't have what rank 0 has."""

from __future__ import annotations

import shutil

import pytest

import mlpkit
from mlpkit.errors import UsageError
from mlpkit.jobs.run_inputs import require_same_inputs
from mlpkit.jobs.train import assist
from mlpkit.training.events import Observer
from mlpkit.training.ranks import Ranks


class Helper(Ranks):
    """A rank that rank 0 has train a spec."""

    def __init__(self, resolved):
        self.resolved = resolved

    def follow(self, tasks):
        tasks["train"](self.resolved)


class Pair(Ranks):
    """Two ranks that gather what they have in a list, which rank 0 gets once both have brought theirs."""

    def __init__(self):
        self.brought = []

    def gather(self, item):
        self.brought.insert(0, item)
        return self.brought


@pytest.fixture
def resolved(work):
    return mlpkit.load_spec("tiny.yaml").resolved_text(slices=2, threads=1)


def test_data_that_only_rank_0_has_is_missing_on_this_host(work, resolved):
    shutil.rmtree("digits")
    with pytest.raises(UsageError) as error:
        assist(Helper(resolved))
    assert str(error.value) == (
        "can't read the folder 'digits': No such file or directory; expected the same data as rank 0 has, at the same "
        "path on each host"
    )


def test_data_that_does_not_fit_the_spec_of_rank_0_is_that_of_another_host(work, resolved):
    with pytest.raises(UsageError) as error:
        assist(Helper(resolved.replace("validation: 50", "validation: 5000")))
    assert str(error.value).endswith("; expected the same data as rank 0 has, at the same path on each host")


LOCK = {"data_checksum": None, "initialized_from": "abc", "environment": {"numpy": "2.0"}}
DATA = mlpkit.Description((3,), mlpkit.Classes(4), {"train": 20, "test": 5})


def compared(lock=LOCK, data=DATA):
    """Return what rank 0 notices of a rank 1 with another lock or other data."""
    ranks, noticed, observer = Pair(), [], Observer()
    observer.noticed = noticed.append
    require_same_inputs(ranks, lock, data)
    require_same_inputs(ranks, LOCK, DATA, observer)
    return noticed


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        ({"data": DATA._replace(sizes={"train": 19, "test": 5})}, "data.rows.train: 20 on rank 0, 19"),
        ({"data": DATA._replace(input_shape=(2,))}, "data.inputs: (3,) on rank 0, (2,)"),
        ({"data": DATA._replace(target=mlpkit.Classes(5))}, "data.targets: 4 classes on rank 0, 5 classes"),
        ({"lock": LOCK | {"data_checksum": "f" * 64}}, "data_checksum: none on rank 0, ffffffffffff..."),
    ],
)
def test_other_data_is_refused_whether_or_not_it_has_a_checksum(other, differs):
    with pytest.raises(UsageError) as error:
        compared(**other)
    assert str(error.value) == f"the ranks can't train together: {differs} on rank 1; expected the same on all hosts"


def test_other_versions_are_noticed():
    found = "the same bits as on one machine aren't guaranteed: environment.numpy: 2.0 on rank 0, 2.1 on rank 1"
    assert compared(LOCK | {"environment": {"numpy": "2.1"}}) == [found]


def test_a_resumed_run_may_begin_with_weights_that_the_others_do_not_know_of():
    assert compared({name: value for name, value in LOCK.items() if name != "initialized_from"}) == []
