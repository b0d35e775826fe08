"""A method that forgets to return: the checks, and a run, say which one and what to return."""

from __future__ import annotations

import pytest

from mlpkit import ComponentFailure, load_spec, run
from mlpkit.testing.check_plugin import check_plugin

PLUGIN = """\
from mlpkit import Callback, Schedule, component, hookimpl
from mlpkit.testing.suite.doubles import FakeDataset, FakeLoss


class Data(FakeDataset):
    def __init__(self):
        super().__init__((4,), {{"type": "Values", "shape": (4,)}})


class Square(FakeLoss):
    pass


class Rate(Schedule):
    def __call__(self, progress):
        return 0.1


class Notes(Callback):
    pass


def nothing(*args):
    pass


{owner}.{method} = nothing


@hookimpl
def mlpkit_components():
    return [
        component("dataset", "data", Data),
        component("loss", "Square", Square),
        component("schedule", "rate", Rate),
        component("callback", "notes", Notes),
    ]
"""

SPEC = """\
mlpkit: 1
data: forgetful.data
layers: [forgetful.Square]
training:
  optimizer: {sgd: {learning_rate: forgetful.rate}}
  batch_size: 2
  iterations: 1
  callbacks: [forgetful.notes]
"""

CASES = [
    (
        ("Data", "describe"),
        "describe returned None; expected a Description; return Description(input_shape, target, sizes)",
        "dataset forgetful.data returned None from describe; expected Description(input_shape, target, sizes)",
    ),
    (
        ("Data", "open"),
        "open returned None; expected a mapping; return {'train': split}",
        "dataset forgetful.data returned None from open; expected a mapping from names to splits",
    ),
    (
        ("Notes", "files"),
        "files returned None; expected a list of names; return [] if it writes none",
        "callback forgetful.notes returned None from files; expected a list of names",
    ),
    (
        ("Square", "weight"),
        "weight returned None; expected a number; return what forward divides by",
        "loss Square1 (Square) failed in weight: TypeError",
    ),
    (
        ("Rate", "__call__"),
        "the value before step 1 of 1 is None; expected a finite number",
        "the schedule of the learning rate failed: TypeError: it returned None; expected a number",
    ),
]


@pytest.fixture
def forgetful(tmp_path, monkeypatch):
    """Return a function that writes the plugin with a method that returns nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(SPEC, encoding="utf-8")

    def write(owner, method):
        path = tmp_path / "forgetful.py"
        path.write_text(PLUGIN.format(owner=owner, method=method), encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(("where", "said", "_"), CASES)
def test_the_checks_say_what_to_return(where, said, _, forgetful):
    failed = [failed.reason for checked in check_plugin(forgetful(*where)) for failed in checked.failed]
    assert any(reason.endswith(f": {said}") for reason in failed), failed


@pytest.mark.parametrize(("where", "_", "said"), CASES)
def test_a_run_says_it_too(where, _, said, forgetful):
    plugin = forgetful(*where)
    with pytest.raises(ComponentFailure) as caught:
        run(load_spec("s.yaml", plugins=[plugin]))
    assert str(caught.value).startswith(said)
