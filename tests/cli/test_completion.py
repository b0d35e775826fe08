"""What a shell offers when the Tab key is pressed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from mlpkit.cli import completion
from mlpkit.cli.verbs import program as cli
from mlpkit.registry.registry import Registry


@pytest.fixture
def offered(mlpkit, cwd):
    """Return a function that asks what completes a command line, as bash does."""

    def ask(line: str) -> list[str]:
        env = {"_MLPKIT_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
        done = mlpkit(env=env)
        assert (done.code, done.err) == (0, "")
        return [item.removeprefix("plain,") for item in done.out.split()]

    return ask


@pytest.fixture
def two_runs(cwd):
    """Make what looks like two run folders, and a folder that doesn't."""
    for name in ("first", "second", "no_run"):
        (cwd / "runs" / name).mkdir(parents=True)
        if name != "no_run":
            (cwd / "runs" / name / "resolved.yaml").touch()


def test_verbs_and_options(offered):
    assert offered("mlpkit re") == ["resume", "report", "repro"]
    assert offered("mlpkit run --q") == ["--quiet"]


def test_a_verb_of_a_plugin_that_is_not_there(offered):
    assert offered("mlpkit absent.") == []
    assert offered("mlpkit absent.greet --l") == []


def test_recipes(offered):
    assert offered("mlpkit init --data a.csv --recipe re") == ["realmlp_td_s", "realmlp_td"]


@pytest.mark.parametrize("verb", ["run", "check", "data", "explain", "plugins"])
def test_specs_are_yaml_files(verb, offered, cwd):
    (cwd / "specs").mkdir()
    (cwd / "specs/other.yml").touch()
    assert offered(f"mlpkit {verb} ") == ["tiny.yaml"]
    assert offered(f"mlpkit {verb} specs/") == ["specs/other.yml"]
    assert offered(f"mlpkit {verb} sp") == ["file,sp"]
    assert offered(f"mlpkit {verb} nowhere/x") == ["file,nowhere/x"]


@pytest.mark.parametrize("verb", ["resume", "evaluate", "predict", "compare", "trace", "repro"])
def test_runs_are_folders_of_runs(verb, offered, two_runs):
    assert offered(f"mlpkit {verb} ") == ["runs/first", "runs/second"]
    assert offered(f"mlpkit {verb} runs/s") == ["runs/second"]
    assert offered(f"mlpkit {verb} x") == ["dir,x"]


def test_several_runs_and_specs(offered, two_runs):
    assert offered("mlpkit compare runs/first runs/s") == ["runs/second"]
    assert offered("mlpkit check tiny.yaml t") == ["tiny.yaml"]


def test_folders_of_runs(offered, two_runs, cwd):
    (cwd / "runs/first").rename(cwd / "runs/no_run/first")
    assert offered("mlpkit runs ") == ["runs/no_run", "runs/second"]
    assert offered("mlpkit runs ru") == ["runs/no_run", "runs/second"]
    assert offered("mlpkit runs x") == ["dir,x"]
    assert offered("mlpkit runs --state f") == ["finished", "failed"]


def test_components_and_kinds(offered):
    assert offered("mlpkit show MaxP") == ["MaxPool2d"]
    assert offered("mlpkit show lo") == ["log_loss", "loss"]
    assert offered("mlpkit show acme.") == []
    assert offered("mlpkit run tiny.yaml --no-plugin MaxP") == ["MaxPool2d"]
    assert "mnist_3layer" in offered("mlpkit init mnist")


def test_keys_of_the_spec_that_was_named(offered):
    assert offered("mlpkit explain tiny.yaml training.b") == ["training.batch_size", "training.best_weights"]
    assert "layers.Affine2.units" in offered("mlpkit explain tiny.yaml layers.")
    assert offered("mlpkit run tiny.yaml --set training.b") == ["training.batch_size=", "training.best_weights="]
    assert offered("mlpkit check tiny.yaml --set training.ba") == ["training.batch_size="]


def test_a_wrong_spec_or_none_has_no_keys(offered, cwd):
    (cwd / "wrong.yaml").write_text("mlpkit: 2\n")
    assert offered("mlpkit explain wrong.yaml ") == []
    assert offered("mlpkit explain nowhere.yaml ") == []
    assert offered("mlpkit run --set tr") == []


@pytest.mark.parametrize(
    ("shell", "says"), [("bash", "complete -o"), ("zsh", "#compdef mlpkit"), ("fish", "--command mlpkit")]
)
def test_the_script_for_each_shell(shell, says, mlpkit):
    done = mlpkit(env={"_MLPKIT_COMPLETE": f"{shell}_source"})
    assert says in done.out


@pytest.fixture
def on_path(environment, program, tmp_path):
    """Return an environment in which the program is called mlpkit."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/mlpkit").write_text(f'#!/bin/sh\nexec {" ".join(program)} "$@"\n')
    (tmp_path / "bin/mlpkit").chmod(0o755)
    return environment | {"PATH": f"{tmp_path / 'bin'}:{environment['PATH']}", "HOME": str(tmp_path)}


def expect_installed(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")


INTERACTIVE = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(_MLPKIT_COMPLETE=bash_source mlpkit)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -Uz compinit; compinit -D; eval "$(_MLPKIT_COMPLETE=zsh_source mlpkit)"'),
}
TYPED = [
    ("mlpkit resume runs/f\t", "mlpkit resume runs/first"),
    ("mlpkit run ti\t--quiet", "mlpkit run tiny.yaml --quiet"),
    ("mlpkit explain tiny.yaml training.batch_si\t--json", "mlpkit explain tiny.yaml training.batch_size --json"),
    ("mlpkit show MaxP\t--help", "mlpkit show MaxPool2d --help"),
    ("mlpkit check --color n\ttiny.yaml", "mlpkit check --color never tiny.yaml"),
]


@pytest.mark.parametrize("shell", INTERACTIVE)
@pytest.mark.parametrize(("keys", "line"), TYPED)
def test_a_shell_completes_what_is_typed(shell, keys, line, terminal, on_path, two_runs):
    expect_installed(shell)
    command, first_line = INTERACTIVE[shell]
    screen = terminal(command=command, columns=150, env=on_path)
    screen.child.send(f"{first_line}; echo rea''dy\r")
    screen.wait_for("ready\r\n")
    before, tab, after = keys.partition("\t")
    screen.child.send(before + tab)
    screen.wait_until_shown(line.removesuffix(after).rstrip())
    screen.child.send(after)
    screen.wait_until_shown(line)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("mlpkit resume runs/", ["runs/first", "runs/second"]),
        ("mlpkit run tiny.yaml --set training.batch_si", ["training.batch_size="]),
        ("mlpkit show MaxP", ["MaxPool2d"]),
        ("mlpkit check --color n", ["never"]),
    ],
)
def test_fish_completes_what_is_typed(line, offered, on_path, cwd, two_runs):
    expect_installed("fish")
    script = f"_MLPKIT_COMPLETE=fish_source mlpkit | source; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], env=on_path, cwd=cwd, capture_output=True, text=True, check=True
    )
    assert [offer.split("\t")[0] for offer in done.stdout.splitlines()] == offered


def found(line):
    """Return what completes a command line whose words have no spaces, with the type of each."""
    _, *words, last = line.split(" ")
    offers = ShellComplete(cli, {}, "mlpkit", "_MLPKIT_COMPLETE").get_completions(words, last)
    return [offer.value if offer.type == "plain" else f"{offer.type}:{offer.value}" for offer in offers]


@pytest.fixture
def tree(cwd):
    """Make specs and runs at several depths, hidden ones among them, and what only looks like them."""
    for name in ("b.yml", "a.yaml", ".hidden.yaml", "yaml", "sub/c.yaml", "a.yaml.txt", ".d/e.yml"):
        (cwd / "specs" / name).parent.mkdir(parents=True, exist_ok=True)
        (cwd / "specs" / name).touch()
    for folder in ("runs/second", "runs/first", "runs/.old", "runs/group/one", "others/third", "rules/fourth"):
        (cwd / folder).mkdir(parents=True)
        (cwd / folder / "resolved.yaml").touch()
    (cwd / "runs/no_run/resolved.yaml").mkdir(parents=True)
    (cwd / "runs/a_file").touch()
    return cwd


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("run specs/", ["specs/a.yaml", "specs/b.yml"]),
        ("run specs/.", ["specs/.hidden.yaml"]),
        ("run specs/b", ["specs/b.yml"]),
        ("run ./specs/b", ["./specs/b.yml"]),
        ("run specs/.d/", ["specs/.d/e.yml"]),
        ("run specs/y", ["file:specs/y"]),
        ("run specs/a.yaml/", ["file:specs/a.yaml/"]),
        ("resume ", ["runs/first", "runs/group", "runs/second"]),
        ("resume r", ["runs/first", "runs/group", "runs/second"]),
        ("resume runs", ["runs/first", "runs/group", "runs/second"]),
        ("resume ru", ["runs/first", "runs/group", "runs/second"]),
        ("resume rul", ["rules"]),
        ("resume runs/f", ["runs/first"]),
        ("resume runs/.", ["runs/.old"]),
        ("resume runs/n", ["dir:runs/n"]),
        ("resume runs/a", ["dir:runs/a"]),
        ("resume runs/group/", ["runs/group/one"]),
        ("resume ot", ["others"]),
        ("resume ./r", ["./rules", "./runs"]),
        ("resume nowhere/x", ["dir:nowhere/x"]),
    ],
)
def test_paths_are_offered_as_they_are_written(typed, offered, tree):
    assert found(f"mlpkit {typed}") == offered


def test_paths_from_the_root_are_whole(tree):
    assert found(f"mlpkit run {tree}/specs/") == [f"{tree}/specs/a.yaml", f"{tree}/specs/b.yml"]
    names = sorted(path.name for path in Path("/").iterdir())
    assert completion._beginning_with("/") == [f"/{name}" for name in names if name[0] != "."]


def test_recipes_are_also_those_of_plugins(tree):
    Path("dots.py").write_text(
        "from mlpkit import Dataset, component, hookimpl\n"
        "class Dots(Dataset):\n"
        "    @classmethod\n"
        "    def recipes(cls): return {'realm_of_dots': cls.propose}\n"
        "    def describe(self): ...\n"
        "    def open(self, seed): ...\n"
        "@hookimpl\n"
        "def mlpkit_components(): return [component('dataset', 'dots', Dots)]\n"
    )
    assert found("mlpkit init --data a.dots --recipe realm_") == []
    assert found("mlpkit init --plugin dots.py --data a.dots --recipe realm_") == ["realm_of_dots"]


def test_keys_are_those_of_the_first_spec_and_its_plugins(tree):
    """The spec may come before or after the option, with others or alone."""
    tiny, own = Path("tiny.yaml").read_text(), Path("own.yaml")
    own.write_text(tiny.replace("- Relu", "- acme.Slow: {seconds: 0.5}"))
    assert found("mlpkit explain --plugin acme.py own.yaml layers.Slow1.s") == ["layers.Slow1.seconds"]
    assert found("mlpkit explain own.yaml layers.Slow1.s") == []
    for before, offered in (
        ("own.yaml --plugin acme.py", ["layers.Slow1.seconds="]),
        ("own.yaml tiny.yaml --plugin acme.py", ["layers.Slow1.seconds="]),
        ("tiny.yaml own.yaml --plugin acme.py", []),
        ("--plugin acme.py", []),
    ):
        assert found(f"mlpkit run {before} --set layers.Slow1.s") == offered


def test_components_of_installed_plugins_are_not_loaded_to_be_offered(monkeypatch, cwd):
    discover = Registry.discover
    monkeypatch.setattr(Registry, "discover", lambda: discover(plugins=["acme.py"]))
    assert any(entry.name == "acme.Slow" for entry in Registry.discover().components())
    assert found("mlpkit show acme.") == []
    assert found("mlpkit show lo") == ["log_loss", "loss"]


def test_completion_is_loaded_only_for_a_shell(mlpkit):
    done = mlpkit("check", "tiny.yaml", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.code == 0
    assert "click.shell_completion" not in done.err
