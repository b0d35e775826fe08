"""Which verbs there are: help, version, unknown verbs, and what is loaded."""

from __future__ import annotations

import platform
import subprocess
import sys

import numpy as np
import pytest
from click.shell_completion import ShellComplete

import mlpkit as package
from mlpkit.cli.verbs import VERBS, program
from mlpkit.registry.registry import installed
from mlpkit_plugins.kernels import PRODUCTS_BY, PRODUCTS_BY_REASON

BUILT_IN = [each for each in installed().components() if "." not in each.name]
COMPUTED = ", ".join(each.name for each in BUILT_IN if not each.declaration.extra and each.component.computed_by)
"""The components that say by what they are computed."""

HEAVY = {
    "numpy",
    "yaml",
    "pygls",
    "pluggy",
    "rich",
    "mlpkit_plugins",
    "mlpkit.jobs",
    "mlpkit.specfile",
    "mlpkit.network",
}


def _loaded_by(environment, cwd, *arguments):
    command = [sys.executable, "-X", "importtime", "-m", "mlpkit", *arguments]
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=True)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_help_lists_every_verb_and_loads_nothing_heavy(environment, cwd, invoke):
    assert _loaded_by(environment, cwd, "--help") & HEAVY == set()
    help_text = invoke("--help").out
    for verb, (_, meaning, _) in VERBS.items():
        assert f"{verb.ljust(max(map(len, VERBS)))}  {meaning}" in help_text


def test_a_former_name_works_and_is_in_no_list(invoke):
    former, now = invoke("whence", "none.onnx"), invoke("provenance", "none.onnx")
    assert (former.code, former.err) == (now.code, now.err)
    assert "Usage: mlpkit provenance [OPTIONS] FILE" in invoke("whence", "--help").out
    assert "whence" not in invoke("--help").out
    assert "whence" not in invoke("nothing").err
    assert not ShellComplete(program, {}, "mlpkit", "").get_completions([], "when")


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_begins_with_its_line(verb, invoke):
    done = invoke(verb, "--help")
    assert done.code == 0
    assert done.out.split("\n\n")[1].strip().startswith(VERBS[verb].summary)


def test_modules_of_verbs_and_their_help_load_nothing_heavy(environment, cwd):
    code = "import sys, click; from mlpkit.cli.verbs import VERBS, program\n"
    code += "for verb in VERBS: click.Context(program.get_command(None, verb)).get_help()\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & HEAVY == set()


def test_a_check_in_a_pipe_loads_only_what_it_needs(environment, cwd):
    loaded = _loaded_by(environment, cwd, "check", "tiny.yaml")
    assert "numpy" in loaded
    unneeded = {"numpy.random", "rich", "threadpoolctl", "safetensors", "mlpkit.training.loop", "mlpkit.runs.folder"}
    unneeded |= {"mlpkit.network.sequential", "mlpkit.network.replica", "email.parser"}
    unneeded |= {"mlpkit.verbs.run.run", "mlpkit.verbs.run.dry_run", "mlpkit_plugins.layers.sigmoid"}
    assert (loaded & unneeded) - loaded_by_numpy() == set()


def test_a_run_loads_only_what_it_needs(environment, cwd):
    loaded = _loaded_by(environment, cwd, "run", "tiny.yaml", "--no-report", "--quiet")
    assert "mlpkit.training.loop" in loaded
    unneeded = {
        "rich",
        "mlpkit.verbs.report.report",
        "mlpkit.jobs.evaluate",
        "mlpkit.jobs.predict",
        "mlpkit.display.notebook",
        "mlpkit.verbs.run.dry_run",
        "mlpkit.groups",
    }
    unneeded |= {"statistics", "decimal", "difflib", "html", "subprocess", "importlib.metadata", "zipfile"}
    assert (loaded & unneeded) - loaded_by_numpy() == set()


def test_an_evaluation_without_groups_of_rows_loads_no_statistics(environment, cwd, invoke):
    assert invoke("run", "tiny.yaml", "--no-report", "--quiet", "--out", "r").code == 0
    loaded = _loaded_by(environment, cwd, "evaluate", "r")
    assert "mlpkit.jobs.evaluate" in loaded
    assert (loaded & {"statistics", "decimal"}) - loaded_by_numpy() == set()


def test_the_guide_for_agents_is_a_file_and_loads_nothing_heavy(environment, cwd):
    assert _loaded_by(environment, cwd, "docs", "--agent") & HEAVY == set()


def loaded_by_numpy():
    command = [sys.executable, "-c", "import sys, numpy; print(*sys.modules)"]  # before 2.0 with numpy.random
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_the_version_is_a_line_and_loads_nothing_heavy(environment, cwd, invoke):
    assert (invoke("--version").code, invoke("--version").out) == (0, f"mlpkit {package.__version__}\n")
    assert _loaded_by(environment, cwd, "--version") & HEAVY == set()


@pytest.mark.parametrize("arguments", [("--version", "--verbose"), ("--verbose", "--version")])
def test_a_verbose_version_says_what_computes_and_on_what(arguments, invoke):
    done = invoke(*arguments)
    lines = done.out.splitlines()
    assert (done.code, lines[:2]) == (
        0,
        [f"mlpkit {package.__version__}", f"{COMPUTED}: computed by {PRODUCTS_BY} ({PRODUCTS_BY_REASON})"],
    )
    about = dict(line.split(": ", 1) for line in lines[2:])
    assert about["python"].endswith(platform.python_version())
    assert about["numpy"] == np.__version__
    assert set(about) == {"python", "numpy", "blas", "processor", "machine", "platform"}


def test_verbose_alone_is_wrong_usage(invoke):
    for arguments in (("--verbose",), ("--verbose", "plugins")):
        assert (invoke(*arguments).code, invoke(*arguments).out) == (2, "")


WITHOUT_TENSORBOARDX = """
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "tensorboardX" else find_spec(name, *rest)
import sys
from mlpkit.cli.main import main
sys.argv = ["mlpkit", "--version", "--verbose"]
main()
"""


def test_the_version_needs_no_library_of_an_extra(environment):
    command = [sys.executable, "-c", WITHOUT_TENSORBOARDX]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"mlpkit {package.__version__}\n{COMPUTED}: computed by ")


def test_without_a_verb_the_help_is_shown_and_the_usage_is_wrong(invoke):
    done = invoke()
    assert done.code == 2
    assert "Commands:" in done.err
    assert done.out == ""


def test_a_misspelt_verb_is_answered_with_the_nearest(invoke):
    done = invoke("chek", "tiny.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("Error: unknown command 'chek'; did you mean 'check'?\n")


def test_a_verb_like_no_other_is_answered_with_all(invoke):
    done = invoke("xyzzy")
    assert done.code == 2
    assert done.err.endswith(f"unknown command 'xyzzy'; expected one of {', '.join(VERBS)}\n")


@pytest.mark.parametrize(
    "arguments", [["--nonsense"], ["check"], ["resume", "a", "b"], ["run", "tiny.yaml", "--nonsense"]]
)
def test_wrong_usage_is_exit_code_2(arguments, invoke):
    done = invoke(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Usage: mlpkit" in done.err


def test_completion_offers_verbs(environment):
    request = {"_MLPKIT_COMPLETE": "bash_complete", "COMP_WORDS": "mlpkit ch", "COMP_CWORD": "1"}
    command = [sys.executable, "-m", "mlpkit"]
    done = subprocess.run(command, env=environment | request, capture_output=True, text=True, check=False)
    assert done.stdout == "plain,check\nplain,check-plugin\n"


def test_the_verbs_are_listed_in_the_order_of_the_table():
    assert program.list_commands(None) == list(VERBS)
