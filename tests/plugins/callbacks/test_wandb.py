"""The calls of Weights & Biases and trackio, by stand-ins; what both return of them is in ``test_trackers``."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import pytest
from requirements import require_package

from mlpkit import ParameterError, Progress, TrainingView, UsageError

Wandb = require_package("mlpkit_plugins.callbacks.wandb").Wandb


class Calls(list):
    """The calls of a stand-in, each its name and arguments, and what they return."""

    def method(self, name, result=None):
        return lambda *given, **named: self.append((name, *given, *([named] if named else []))) or result


@pytest.fixture
def wandb(monkeypatch):
    """Return a stand-in for wandb that has logged three steps, its calls, and its usual mode in ``mode``."""
    calls, fake = Calls(), ModuleType("wandb")
    fake.__spec__ = ModuleSpec("wandb", None)
    run = SimpleNamespace(step=4, summary=SimpleNamespace(update=calls.method("summary")))
    for name in ("log", "finish", "mark_preempting"):
        setattr(run, name, calls.method(name))
    fake.calls, fake.mode, fake.known = calls, "online", True
    fake.setup = lambda: SimpleNamespace(settings=SimpleNamespace(mode=fake.mode))
    fake.login = lambda **options: calls.append(("login", options)) or fake.known
    fake.Settings = lambda **options: options
    fake.init = calls.method("init", run)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    return fake


@pytest.fixture
def trackio(monkeypatch):
    """Return a stand-in for trackio that has logged three steps, and its calls."""
    calls, fake = Calls(), ModuleType("trackio")
    fake.__spec__ = ModuleSpec("trackio", None)
    fake.calls = calls
    fake.init = calls.method("init", SimpleNamespace(_next_step=4, log=calls.method("log")))
    fake.finish = calls.method("finish")
    monkeypatch.setitem(sys.modules, "trackio", fake)
    return fake


def view(folder):
    return TrainingView(Progress(3, 0.5, 6), {}, folder, resolved=lambda: {"seed": 7})


@pytest.mark.parametrize(
    ("mode", "usual", "asks"),
    [
        (None, "online", True),
        (None, "offline", False),
        ("offline", "online", False),
        ("online", "offline", True),
    ],
)
def test_wandb_is_asked_who_logs_if_it_is_online(wandb, tmp_path, mode, usual, asks):
    wandb.mode = usual
    Wandb(mode=mode).begin(view(tmp_path), tmp_path)
    assert wandb.calls[:-1] == ([("login", {"prompt": False, "verify": False})] if asks else [])
    wandb.known = False
    if asks:
        with pytest.raises(
            UsageError, match=r"W&B isn't logged in; run wandb login, or write wandb: \{mode: offline\}"
        ):
            Wandb(mode=mode).begin(view(tmp_path), tmp_path)


def test_a_run_of_wandb_has_the_spec_and_continues_after_its_last_step(wandb, tmp_path):
    made = Wandb("digits", "me", "offline")
    made.load_state({"run": "abc"})
    (tmp_path / "run/wandb/offline-run-1-abc").mkdir(parents=True)
    (tmp_path / "run/wandb/offline-run-1-abcd").mkdir()
    (tmp_path / "run/lock.json").write_text('{"spec_hash": "0f"}')
    assert made.begin(view(tmp_path / "run"), tmp_path / "run") == 3
    ((_, given),) = wandb.calls
    config = {"seed": 7, "mlpkit.spec_hash": "0f", "mlpkit.run_folder": str((tmp_path / "run").resolve())}
    assert given == {
        "project": "digits",
        "entity": "me",
        "id": "abc",
        "name": "run",
        "config": config,
        "dir": str(tmp_path / "run"),
        "mode": "offline",
        "resume": "allow",
        "reinit": "create_new",
        "settings": {"silent": True, "console": "off", "quiet": True},
    }
    assert [each.name for each in (tmp_path / "run/wandb").iterdir()] == ["offline-run-1-abcd"]
    assert made.files() == ["wandb"]


def test_runs_of_wandb_have_ids_of_their_own_and_no_link_is_followed(wandb, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "wandb").symlink_to(tmp_path / "other")
    first, second = Wandb(mode="offline"), Wandb(mode="offline")
    for made in (first, second):
        made.begin(view(tmp_path), tmp_path)
    assert len({first.run_id, second.run_id}) == 2
    assert [len(made.run_id) for made in (first, second)] == [8, 8]
    assert not (tmp_path / "wandb").is_symlink()
    assert (tmp_path / "other").is_dir()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("finished", [("finish", {"exit_code": 0})]),
        ("stopped", [("mark_preempting",), ("finish", {"exit_code": 1})]),
        ("failed", [("finish", {"exit_code": 1})]),
    ],
)
def test_how_a_run_of_wandb_ends(wandb, tmp_path, state, expected):
    made = Wandb(mode="offline")
    made.begin(view(tmp_path), tmp_path)
    made.log({"loss/train": 0.5}, 3)
    made.end({"final/test_loss": 0.25}, 6, state)
    logged = [("log", {"loss/train": 0.5}, {"step": 3}), ("summary", {"final/test_loss": 0.25})]
    assert wandb.calls[1:] == [*logged, *expected]


@pytest.mark.parametrize("results", [{}, {"final/test_loss": 0.25}])
def test_a_run_of_trackio_has_its_results_as_the_last_step(trackio, tmp_path, results):
    made = Wandb("digits", module="trackio")
    made.load_state({"run": "abc"})
    assert made.files() == []
    assert made.begin(view(tmp_path / "run"), tmp_path / "run") == 3
    made.log({"loss/train": 0.5}, 4)
    made.end(results, 6, "stopped")
    (_, given), *others = trackio.calls
    assert given.pop("config")["seed"] == 7
    switched_off = {"embed": False, "auto_log_gpu": False, "auto_log_cpu": False}
    assert given == {"project": "digits", "name": "run-abc", "resume": "allow", **switched_off}
    last = [("log", results, {"step": 6})] if results else []
    assert others == [("log", {"loss/train": 0.5}, {"step": 4}), *last, ("finish",)]


def test_hooks_of_the_process_are_those_of_before(wandb, tmp_path):
    hooks = sys.exit, sys.excepthook
    init = wandb.init

    def hooking(**options):
        sys.exit, sys.excepthook = print, print
        return init(**options)

    wandb.init = hooking
    Wandb(mode="offline").begin(view(tmp_path), tmp_path)
    assert (sys.exit, sys.excepthook) == hooks


@pytest.mark.usefixtures("trackio")
def test_what_trackio_does_not_have_is_refused():
    for parameters in ({"entity": "me"}, {"mode": "offline"}):
        ((name, _),) = parameters.items()
        with pytest.raises(ParameterError) as caught:
            Wandb(module="trackio", **parameters)
        assert str(caught.value) == f"{name}: trackio has no {name}; leave it out"


def test_a_library_that_is_not_installed_comes_with_its_command(monkeypatch):
    monkeypatch.setattr("mlpkit_plugins.callbacks.wandb.find_spec", lambda _: None)
    with pytest.raises(ParameterError) as caught:
        Wandb(module="trackio")
    assert str(caught.value) == "module: trackio isn't installed; install it with: pip install trackio"
