"""Every block of code and every command in the pages is run by a test, or stands in the list below with a reason."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import yaml
from documentation_pages import BY_HAND
from generators.marked_blocks import write_files
from requirements import require_components_of

from mlpkit.cli.verbs import VERBS, program
from mlpkit.specfile.spec import read_spec

ROOT = Path(__file__).parents[2]
OTHERS = (
    "SECURITY.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "plugins/mlpkit_plugins/kernels/README.md",
    "specs/from_scratch/README.md",
    "mlpkit/verbs/ask/agent.md",
)
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in [ROOT / "README.md", *BY_HAND, *(ROOT / page for page in OTHERS)]
}

RUN_IF_MARKED = {
    "run": "tests/docs/test_sessions.py, tests/plugin_packages",
    "file": "the same",
    "session": "tests/docs/test_command_line_page.py",
    "plugin": "tests/docs/test_marked_blocks.py",
    "spec": "the same",
    "wrong spec": "the same",
    "python": "the same",
    "exported": "tests/docs/test_exports_page.py",
    "spec part": "this module",
}
"""The comments above blocks that are run, and where."""

FOLLOWED = {
    "README.md": "tests/docs/test_sessions.py",
    "docs/guide.md": "tests/plugin_packages/test_guide.py",
    "docs/first-hour.md": "tests/plugin_packages/test_first_pages.py",
    "docs/first-table.md": "tests/plugin_packages/test_first_pages.py",
    "specs/from_scratch/README.md": "tests/specs/test_from_scratch.py",
    "docs/distillation.md": "tests/docs/test_sessions.py",
    "docs/doctor.md": "tests/docs/test_sessions.py",
    "docs/coverage.md": "tests/docs/test_sessions.py",
    "docs/drift.md": "tests/docs/test_sessions.py",
    "docs/explanations.md": "tests/docs/test_sessions.py",
    "docs/groups.md": "tests/docs/test_sessions.py",
    "docs/card.md": "tests/docs/test_sessions.py",
    "docs/seeds.md": "tests/docs/test_sessions.py",
    "docs/sweeps.md": "tests/docs/test_sessions.py",
    "docs/course/loader.md": "tests/docs/test_sessions.py",
    "docs/course/layers.md": "tests/docs/test_sessions.py",
    "docs/course/gradients.md": "tests/docs/test_sessions.py",
    "docs/course/training.md": "tests/docs/test_sessions.py",
    "docs/course/initialization.md": "tests/docs/test_sessions.py",
    "docs/course/optimizers.md": "tests/docs/test_sessions.py",
    "docs/course/regularization.md": "tests/docs/test_sessions.py",
    "docs/course/convolution.md": "tests/docs/test_sessions.py",
    "docs/teaching.md": "tests/docs/test_sessions.py",
    "docs/training.md": "tests/docs/test_sessions.py",
    "mlpkit/verbs/ask/agent.md": "tests/docs/test_sessions.py",
}
"""Where the steps of a page, marked `run` and `file`, are followed."""

BENCHMARK = "takes minutes to hours on a machine that does nothing else; tests/benchmarks runs the scripts"
INSTALLS = "installs from an index; tests/architecture/test_wheel.py and .ci/run build and install the same"
NEEDS_A_READERS_FILE = "names a file that only a reader has; its options are checked below"
KEYS_CHECKED = "the keys are compared with a run's by tests/docs/test_run_folder_page.py"
NOT_DRIVEN = "no test has this editor, as the page says; tests/verbs/lsp drives the server"
IN_AN_EDITOR = "tests/verbs/ask/schema/test_in_an_editor.py has the same"

NOT_RUN = {
    "README.md": {
        'python3 -m venv .venv && .venv/bin/pip install ".[plot]" && .venv/bin/mlpkit run': INSTALLS,
        'python3 -m venv .venv && .venv/bin/pip install ".[test]"': "it is what runs this test",
        "$ mlpkit check my.yaml": "tests/readme makes the mistake",
    },
    "docs/components/engine.md": {
        "mlpkit sweep my.yaml --on": "tests/plugin_packages sweeps with an engine of a package"
    },
    "docs/components/exporter.md": {"mlpkit run my.yaml": "tests/plugin_packages exports with a package"},
    "docs/components/verb.md": {
        "mlpkit my_verbs.small_weights": "tests/cli/test_plugin_verbs.py calls verbs of plugins"
    },
    "docs/command-line.md": {
        'eval "$(_MLPKIT_COMPLETE=bash_source mlpkit)"': "tests/cli/test_completion.py completes in the three shells",
        '{"event": "started", "steps": 200}': "tests/display compares the events",
        "$ mlpkit run narrow.yaml wide.yaml deep.yaml": "in any order; tests/cli/test_several_specs.py has the same",
        "$ mlpkit run quick.yaml --dry-run": "tests/verbs/run/test_dry_run.py compares estimates with runs",
        "$ mlpkit run quick.yaml --live": "goes on until it is stopped; tests/verbs/live opens the page",
        "$ mlpkit run quick.yaml --out runs/long": "tests/cli/test_interrupt.py interrupts a run",
        "$ mlpkit runs": "runs in every state; tests/verbs/runs/test_runs_command.py has them",
        "mlpkit runs --state running --watch": "goes on until it is stopped; options checked below",
    },
    "docs/machines.md": {
        'pip install "mlpkit[mpi]" mpich': INSTALLS,
        "mpiexec -n 2 mlpkit resume runs/mnist": "tests/training/test_mpi.py resumes on other ranks",
        "error: rank 2 of 3": "tests/hosts/test_ranks.py has such a message",
        "mpiexec -hosts node-a,node-b,node-c -ppn 1 -n 3 hostname": "needs several machines",
        "mpiexec -hosts node-a,node-b,node-c -ppn 1 -n 3 /opt": "tests/hosts/test_ranks.py trains on three hosts",
        "#!/bin/sh\n#SBATCH": "needs Slurm",
        "for host in node-b node-c": "tests/hosts/test_dask.py sweeps on such hosts",
        "mpiexec -n 5 mlpkit sweep digits.yaml --on mpi": "tests/plugins/engines/test_sweep_over_mpi.py does so",
        "mlpkit sweep digits.yaml --on slurm": "tests/plugins/engines/test_sweep_on_slurm.py does so",
    },
    "docs/editors.md": {
        'pip install "mlpkit[editor]"': INSTALLS,
        '{\n  "glspc': NOT_DRIVEN,
        "vim.api": "tests/verbs/lsp/test_neovim.py runs it",
        "[language-server.mlpkit]": NOT_DRIVEN,
        '{\n  "inlay_hints"': NOT_DRIVEN,
        '{\n  "LanguageServerManager"': NOT_DRIVEN,
        "mlpkit schema > mlpkit.json": "tests/verbs/ask/test_schema_command.py reads what it prints",
        "# yaml-language-server: $schema=mlpkit.json": IN_AN_EDITOR,
        '{"yaml.schemas"': IN_AN_EDITOR,
        "vim.lsp.config": "no test has Neovim with this server, as the page says",
    },
    "docs/sweeps.md": {
        "trial 6 leads trial 7 by 0.0097": "36 trainings; tests/verbs/sweep/test_sweep_of_several.py has fewer",
    },
    "docs/components/layer.md": {
        "x = graph.input": "two lines from within a method; tests/plugins/exporters has every operator"
    },
    "docs/seeds.md": {
        "mlpkit run ensemble.yaml --set ensemble.member=1": "tests/groups/test_ensemble.py compares such runs",
    },
    "docs/browser.md": {
        "import { loadPyodide }": "tests/docs/test_browser_page.py runs it with -m long",
        "MLPKIT_PURE=1 pip wheel": "tests/docs/test_browser_page.py serves the same with -m long",
    },
    "docs/playground.md": {
        "$ mlpkit play": "goes on until it is stopped; tests/verbs/play/test_command.py opens the page",
        'pip install -e ".[docs]"': "tests/docs/test_playground_page.py serves the same with -m long",
    },
    "docs/serving.md": {
        "$ ": "tests/docs/test_serving_page.py starts the server and sends the requests",
        "import numpy as np\nimport tritonclient": "the same",
    },
    "docs/exports.md": {
        "mlpkit export runs/digits --to digits.c --quantize int8": "tests/verbs/export/test_quantization.py does so",
        "cc -std=c99 -DTITANIC_TEST titanic.c": "tests/plugins/exporters/c compiles and runs that test",
    },
    "docs/card.md": {"A neural network that predicts": "tests/docs/test_card_page.py compares it with the card"},
    "docs/first-hour.md": {"python3 -m venv .venv": INSTALLS},
    "docs/installation.md": {
        "python3 -m venv .venv": INSTALLS,
        "$ mlpkit --version --verbose": "it differs from machine to machine; tests/cli/test_verbs.py has its lines",
    },
    "specs/from_scratch/README.md": {
        'pip install ".[plot]"': INSTALLS,
        "python specs/from_scratch/overfitting.py": "tests/specs/test_from_scratch.py runs the scripts, shortened",
    },
    "mlpkit/verbs/ask/agent.md": {
        '{"ok": false, "problems"': "tests/cli/test_agent.py follows such problems",
    },
    "docs/plugins.md": {
        "export MLPKIT_PLUGINS": "tests/cli/test_session_plugins.py sets it",
        "[project.entry-points.mlpkit]": "tests/plugin_packages installs such packages",
        "$ mlpkit check needs_broken.yaml": "tests/registry breaks plugins in many ways",
    },
    "docs/run-folder.md": {
        "mlpkit: 1": KEYS_CHECKED,
        "{": KEYS_CHECKED,
        '{"iteration":100,"epoch"': KEYS_CHECKED,
        '{"iteration":100,"seconds"': KEYS_CHECKED,
    },
    "docs/teaching.md": {
        '# mlpkit exercise: layer Relu\n"""': "tests/verbs/homework/test_new_homework.py compares it with the file",
    },
    "docs/spec.md": {
        "mlpkit run quick.yaml --set seed=1": NEEDS_A_READERS_FILE,
    },
    "benchmarks/README.md": {'pip install "mlpkit[bench]"': BENCHMARK},
}
"""What no test runs as it stands: how the block begins, and why."""

GENERATED = re.compile(r"<!-- generated: .*?<!-- end -->", re.DOTALL)
BLOCK = re.compile(r"^(?P<above>[^\n]*)\n(?P<indent> *)```\w*\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S)
MARK = re.compile(rf"<!-- (?P<mark>{'|'.join(RUN_IF_MARKED)})(?:: .*)? -->")
TRAINS = {
    "mlpkit": 1,
    "data": "mnist",
    "layers": [{"Affine": {"units": 10}}, "SoftmaxWithLoss"],
    "training": {"optimizer": {"sgd": {"learning_rate": 0.1}}, "epochs": 1},
}
"""A spec that parts are put into."""


@dataclass(frozen=True)
class Block:
    """A block of a page that stands there by hand, and how it is marked, if it is."""

    page: str
    mark: str
    text: str


def blocks() -> list[Block]:
    """Return the blocks of all pages."""
    return [
        Block(page, mark["mark"] if mark else "", found["text"].strip())
        for page, text in PAGES.items()
        for found in BLOCK.finditer(GENERATED.sub("", text))
        for mark in [MARK.fullmatch(found["above"].strip())]
    ]


BLOCKS = blocks()


def reasons(block: Block) -> list[str]:
    """Return why a block is not run: one reason, if all is well."""
    listed = NOT_RUN.get(block.page, {})
    return [reason for start, reason in listed.items() if block.text.startswith(start)]


def test_every_block_is_run_or_in_the_list():
    assert [block for block in BLOCKS if bool(block.mark) == bool(reasons(block))] == []


def test_the_list_names_blocks_that_are_there():
    unmarked = {page: [block.text for block in BLOCKS if block.page == page and not block.mark] for page in PAGES}
    gone = [
        (page, start)
        for page, listed in NOT_RUN.items()
        for start in listed
        if not any(text.startswith(start) for text in unmarked[page])
    ]
    assert gone == []


def test_every_page_with_steps_is_followed():
    with_steps = {block.page for block in BLOCKS if block.mark in {"run", "file"}}
    assert with_steps == FOLLOWED.keys()
    for page, test in FOLLOWED.items():
        assert Path(page).stem in (ROOT / test).read_text("utf-8"), page


def commands() -> list[str]:
    """Return every command of mlpkit that the pages show, no plugin's, without what a shell adds."""
    pages = "\n".join(text for page, text in PAGES.items() if page != "CHANGELOG.md")
    sessions = "\n".join(re.findall(r"^ *```console\n(.*?)^ *```$", pages, re.M | re.S))
    scripts = "\n".join(re.findall(r"^ *```sh\n(.*?)^ *```$", pages, re.M | re.S))
    lines = re.findall(r"^ *\$ (.+)$", sessions, re.M) + scripts.splitlines()
    found = [re.search(r"(?:^|/|&& )mlpkit( [a-z][\w-]*\b.*)$", line) for line in lines]
    built_in = [command for command in found if command and "." not in command[1].split()[0]]
    return sorted({"mlpkit" + re.split(r" +#| [|>&]", command[1])[0] for command in built_in})


@pytest.mark.parametrize("command", commands())
def test_every_command_has_the_options_that_it_is_shown_with(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(PAGES["docs/components/engine.md"], tmp_path)  # an engine has options, too
    _, verb, *arguments = shlex.split(command)
    assert verb in VERBS
    found = program.get_command(click.Context(program), verb)
    assert isinstance(found.make_context(verb, list(arguments)), click.Context)


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.mark == "spec part"], ids=lambda block: block.page
)
def test_every_part_of_a_spec_fits_into_one(block, tmp_path):
    require_components_of(block.text)
    part = yaml.safe_load(block.text)
    part.pop("extends", None)
    if "augment" in part:
        part = {"training": part}
    spec = {**TRAINS, **part, "training": {**TRAINS["training"], **part.get("training", {})}}
    (tmp_path / "whole.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    assert read_spec(tmp_path / "whole.yaml").name == "whole"
