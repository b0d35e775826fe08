"""How verbs end when something goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings

import click
import pytest

from mlpkit.cli.exit_codes import exit_codes, problems_document
from mlpkit.cli.verbs import VERBS
from mlpkit.errors import (
    ComponentFailure,
    DataError,
    Diagnostic,
    RankError,
    ShapeError,
    SpecSchemaError,
    StorageError,
)
from mlpkit.jobs.check import check
from mlpkit.specfile.spec import load_spec
from mlpkit.terminal.output import OutputClosedError

WRONG = """\
mlpkit: 1
data: mnist
layers:
  - Affin: {units: 10}
  - SoftmaxWithLoss
training:
  optimizer: sgd
  batch_size: 0
  epochs: 1
"""


def test_faults_of_a_spec_are_shown_in_full_and_counted(cwd, mlpkit):
    (cwd / "wrong.yaml").write_text(WRONG)
    with pytest.raises(SpecSchemaError) as caught:
        load_spec("wrong.yaml")
    done = mlpkit("check", "wrong.yaml")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"{caught.value}\n\n2 errors in wrong.yaml\n"
    assert done.err.startswith(
        "wrong.yaml:4:5: unknown layer or loss 'Affin'\n"
        "    4 |   - Affin: {units: 10}\n"
        "      |     ^^^^^\n"
        "  help: did you mean 'Affine'?\n"
        "\n"
        "wrong.yaml:8:15: "
    )


def test_a_single_fault_is_one_error(invoke):
    done = invoke("check", "tiny.yaml", "--set", "training.batch_size=0")
    assert done.err.endswith("\n1 error in --set\n")


@pytest.mark.parametrize(
    ("option", "key"), [("--epochs", "training.epochs"), ("--batch-size", "training.batch_size"), ("--seed", "seed")]
)
def test_a_key_of_the_spec_given_as_an_option_is_answered_with_set(invoke, option, key):
    done = invoke("run", "tiny.yaml", option, "3")
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(f"No such option '{option}'; give it as --set {key}=VALUE\n")
    assert "--set" not in invoke("evaluate", "runs/tiny", option, "3").err


def test_other_errors_are_one_line_with_a_prefix(invoke):
    done = invoke("evaluate", "nowhere")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: nowhere: no such folder")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("path", ["mnist_3layer.yaml", "mnist_3layer", "specs/mnist_3layer.yaml"])
@pytest.mark.parametrize("verb", ["check", "run", "explain"])
def test_a_missing_spec_that_is_shipped_is_offered(path, verb, invoke):
    done = invoke(verb, path, *(["seed"] if verb == "explain" else []))
    assert done.code == 2
    assert "  help: mlpkit ships a spec of that name; 'mlpkit init mnist_3layer' copies it here\n" in done.err


@pytest.mark.parametrize("verb", ["check", "run", "tune-rate"])
def test_a_run_folder_in_place_of_a_spec_has_one(verb, cwd, invoke):
    (cwd / "runs/first").mkdir(parents=True)
    (cwd / "runs/first/resolved.yaml").write_text("mlpkit: 1\n")
    done = invoke(verb, "runs/first")
    assert (done.code, done.out) == (2, "")
    assert "  help: it is the folder of a run, whose spec is runs/first/resolved.yaml\n" in done.err
    assert "help: " not in invoke(verb, "runs").err


def test_a_table_in_place_of_a_spec_is_answered_with_init(cwd, invoke):
    (cwd / "my table.csv").write_text("a,b\n1,2\n")
    (cwd / "text.yaml").write_text("a,b\n1,2\n")
    advice = "  help: if it holds data, write a spec for it with: mlpkit init --data 'my table.csv' --target COLUMN\n"
    assert advice in invoke("check", "my table.csv").err
    assert "mlpkit init" not in invoke("check", "text.yaml").err
    assert "mlpkit init" not in invoke("check", "missing.csv").err


def test_a_missing_spec_that_is_not_shipped_is_not_offered(invoke):
    assert "mlpkit ships" not in invoke("check", "other.yaml").err


def test_a_broken_spec_of_a_shipped_name_is_not_called_missing(cwd, invoke):
    (cwd / "mnist_3layer.yaml").write_text("a: [")
    done = invoke("check", "mnist_3layer.yaml")
    assert done.code == 2
    assert "mlpkit ships" not in done.err


HELP = "  help: with MLPKIT_DEBUG=1 in the environment, mlpkit shows the whole traceback\n"


def test_a_fault_of_the_programs_own_names_its_place_and_shows_no_traceback(invoke, monkeypatch):
    def fail(*args, **kwargs):
        raise KeyError("the third shelf")

    monkeypatch.setattr("mlpkit.jobs.check.check", fail)
    done = invoke("check", "tiny.yaml")
    assert (done.code, done.out) == (1, "")
    line = fail.__code__.co_firstlineno + 1
    assert done.err == (
        f"internal error: KeyError: 'the third shelf' (at {__file__}:{line}, in fail); please report it\n{HELP}"
    )


def test_a_fault_of_a_component_names_the_component_and_the_place(cwd, mlpkit):
    done = mlpkit("run", "tiny.yaml", "--plugin", "./acme.py", "--set", "data=acme.wrong_data")
    assert (done.code, done.out) == (1, "")
    line = (cwd / "acme.py").read_text().splitlines().index('        raise KeyError("the third shelf")') + 1
    first, rest = done.err.split("\n", 1)
    assert first.startswith("error: ")
    assert "acme.wrong_data" in first
    assert rest.startswith("  note: raised at ")
    assert rest.endswith(f"acme.py:{line}, in open\n{HELP}")


def test_debugging_shows_tracebacks(mlpkit):
    done = mlpkit(
        "run", "tiny.yaml", "--plugin", "./acme.py", "--set", "data=acme.wrong_data", env={"MLPKIT_DEBUG": "1"}
    )
    assert done.code == 1
    assert "Traceback (most recent call last)" in done.err
    assert "MLPKIT_DEBUG" not in done.err
    assert "Traceback" in mlpkit("evaluate", "nowhere", env={"MLPKIT_DEBUG": "1"}).err


def test_a_warning_is_printed_once_and_those_for_developers_are_left_to_python(invoke, monkeypatch):
    def warn(spec):
        for text in ("a row is empty", "a row is empty", "a row is long"):
            warnings.warn(text, stacklevel=1)
        warnings.warn("use another name", DeprecationWarning, stacklevel=1)
        return check(spec)

    monkeypatch.setattr("mlpkit.jobs.check.check", warn)
    with pytest.warns(DeprecationWarning, match="use another name"):
        done = invoke("check", "tiny.yaml")
    assert (done.code, done.err) == (0, "warning: a row is empty\nwarning: a row is long\n")


def test_too_little_memory_is_said_plainly(invoke, monkeypatch):
    def refuse(*args, **kwargs):
        raise MemoryError("unable to allocate 40 GiB")

    monkeypatch.setattr("mlpkit.jobs.check.check", refuse)
    done = invoke("check", "tiny.yaml")
    assert done.code == 1
    assert done.err == (
        "error: not enough memory: unable to allocate 40 GiB; close other programs, raise the limit (ulimit -v), "
        "or try a smaller batch_size, or fewer units\n"
    )


def test_control_c_outside_a_run_is_130_without_a_word(invoke, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("mlpkit.jobs.check.check", interrupt)
    done = invoke("check", "tiny.yaml")
    assert (done.code, done.out, done.err) == (130, "", "")


def test_a_reader_that_leaves_ends_the_program_in_silence(environment, cwd):
    command = f"set -o pipefail; {sys.executable} -m mlpkit schema | head -1"
    done = subprocess.run(
        ["bash", "-c", command], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("{\n", "")
    assert done.returncode in (0, 141)  # 0 if all of it fitted into the pipe before head left


def test_standard_output_on_a_full_disk_is_an_error(mlpkit):
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = mlpkit("check", "tiny.yaml", stdout=full)
    assert done.code == 1
    assert done.err == "error: standard output can't be written: No space left on device\n"


def noted(error, *notes):
    for note in notes:
        error.add_note(note)
    return error


OLD, ODD = Diagnostic("a.yaml", 2, 3, "old"), Diagnostic("a.yaml", 5, 1, "odd")
FAULTS = (
    Diagnostic("a.yaml", 1, 4, "no", notes=("its own",)),
    Diagnostic("b.yaml", 7, 2, "nor this", code="wrong-shape"),
    Diagnostic("a.yaml", 9, 9, "neither"),
)
NO_MEMORY = (
    "not enough memory: 40 GiB; close other programs, raise the limit (ulimit -v), or try a smaller batch_size, or "
    "fewer units"
)
ENDS = {
    "a spec": (
        noted(SpecSchemaError(FAULTS, (OLD,)), "help: look", "note: here"),
        2,
        "a.yaml:2:3: warning: old\n\na.yaml:1:4: no\n  note: its own\n\nb.yaml:7:2: nor this\n\n"
        "a.yaml:9:9: neither\n  help: look\n  note: here\n\n3 errors in a.yaml, b.yaml\n",
        [
            ("a.yaml", FAULTS[0].code, "no", ["its own", "help: look", "here"]),
            ("b.yaml", "wrong-shape", "nor this", []),
            ("a.yaml", FAULTS[0].code, "neither", []),
        ],
    ),
    "a file": (
        noted(DataError("a.csv", "no", row=7), "  note: seen"),
        1,
        "error: a.csv, row 7: no\n    note: seen\n",
        [("a.csv", "wrong-data", "a.csv, row 7: no", ["seen"])],
    ),
    "a shape": (
        noted(ShapeError("no", expected="a size", remedy="give one", subject="units"), "note: seen"),
        2,
        "error: units: no; expected a size; give one\n  note: seen\n",
        [(None, "wrong-shape", "units: no", ["seen"])],
    ),
    "another process": (RankError("gone", 9), 9, "error: gone\n", [(None, "process-failed", "gone", [])]),
    "usage": (
        click.UsageError("no such thing"),
        2,
        "Error: no such thing\n",
        [(None, "wrong-usage", "no such thing", [])],
    ),
    "memory": (
        noted(MemoryError("40 GiB"), "note: seen"),
        1,
        f"error: {NO_MEMORY}\n",
        [(None, "out-of-resources", NO_MEMORY, ["seen"])],
    ),
    "a component": (
        ComponentFailure("it failed"),
        1,
        "error: it failed\n",
        [(None, "component-failed", "it failed", [])],
    ),
}


def ended(error, capsys, **options):
    """Return with what exit code a verb ends that raises an error, and what it prints."""
    with pytest.raises(click.exceptions.Exit) as caught, exit_codes(**options):
        raise error
    assert caught.value.__suppress_context__
    return (caught.value.exit_code, *capsys.readouterr())


@pytest.mark.parametrize("name", ENDS)
def test_every_kind_of_error_has_its_exit_code_its_text_and_its_json(name, capsys, monkeypatch):
    """The other processes that were started together keep silent about wrong usage, and leave JSON to the first."""
    monkeypatch.delenv("MLPKIT_DEBUG", raising=False)
    error, code, text, problems = ENDS[name]
    assert ended(error, capsys)[:2] == (code, "")
    found, out, err = ended(error, capsys, as_json=True)
    assert found == code
    assert err == text
    (line,) = out.splitlines()
    answer = json.loads(line)
    assert [*answer] == ["ok", "problems", "warnings"]
    assert answer["ok"] is False
    for problem, (file, kind, message, notes) in zip(answer["problems"], problems, strict=True):
        assert [problem[key] for key in ("file", "code", "message", "notes")] == [file, kind, message, notes]
    assert [warning["message"] for warning in answer["warnings"]] == (["old"] if name == "a spec" else [])
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
    assert ended(error, capsys, as_json=True) == (code, "", "" if name == "usage" else err)


def test_what_was_noticed_before_comes_first():
    found = problems_document(SpecSchemaError(FAULTS, (OLD,)), [ODD])
    assert [warning["message"] for warning in found["warnings"]] == ["odd", "old"]
    assert [warning["message"] for warning in problems_document(RankError("no"), [ODD])["warnings"]] == ["odd"]


@pytest.mark.parametrize(
    ("error", "code"), [(OutputClosedError(), 141), (KeyboardInterrupt(), 130), (click.exceptions.Exit(7), 7)]
)
def test_some_ends_have_an_exit_code_alone(error, code, capsys):
    with pytest.raises(click.exceptions.Exit) as caught, exit_codes(as_json=True):
        raise error
    assert (caught.value.exit_code, *capsys.readouterr()) == (code, "", "")


@pytest.mark.parametrize("failure", [OutputClosedError(), OSError(28, "No space left on device")])
def test_an_error_that_cannot_be_printed_as_json_keeps_its_exit_code(failure, capsys, monkeypatch):
    def refuse(text):
        raise failure if isinstance(failure, OutputClosedError) else StorageError(str(failure))

    monkeypatch.setattr("mlpkit.terminal.output.result", refuse)
    assert ended(RankError("gone", 9), capsys, as_json=True) == (9, "", "error: gone\n")


def test_the_traceback_comes_before_the_message_and_instead_of_the_advice(capsys, monkeypatch):
    failure = ComponentFailure("it failed")
    try:
        raise KeyError("shelf")
    except KeyError as cause:
        failure.__cause__ = cause
    monkeypatch.setenv("MLPKIT_DEBUG", "1")
    _, _, err = ended(failure, capsys)
    lines = err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-2] == "error: it failed"
    assert lines[-1].startswith(f"  note: raised at {__file__}:")
    assert err.count("KeyError: 'shelf'") == 1
    monkeypatch.setenv("MLPKIT_DEBUG", "")
    assert ended(failure, capsys)[2] == "\n".join(lines[-2:]) + f"\n{HELP}"


HELPS = [["--help"], ["-h"], ["--version"], *([verb, "--help"] for verb in VERBS)]


@pytest.mark.parametrize("arguments", HELPS, ids=" ".join)
def test_help_and_version_end_on_a_full_disk_as_results_do(arguments, mlpkit):
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = mlpkit(*arguments, stdout=full)
    assert (done.code, done.err) == (1, "error: standard output can't be written: No space left on device\n")


@pytest.mark.parametrize("arguments", HELPS, ids=" ".join)
def test_help_and_version_end_in_silence_if_the_reader_has_left(arguments, mlpkit):
    reading, writing = os.pipe()
    os.close(reading)
    done = mlpkit(*arguments, stdout=writing)
    os.close(writing)
    assert (done.code, done.err) == (141, "")


@pytest.mark.parametrize("arguments", [["--nonsense"], ["check", "--nonsense"], ["check"], ["xyzzy"], []])
def test_wrong_usage_has_its_exit_code_without_standard_error(arguments, mlpkit):
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = mlpkit(*arguments, stderr=full)
    assert (done.code, done.out) == (2, "")


def test_closed_standard_streams_are_no_reason_to_fail(environment, cwd):
    command = f"{sys.executable} -m mlpkit check tiny.yaml >&- 2>&-"
    assert subprocess.run(["bash", "-c", command], env=environment, cwd=cwd, check=False).returncode == 0


def test_errors_are_red_on_a_terminal_and_plain_without_colours(terminal):
    coloured = terminal("evaluate", "nowhere")
    assert coloured.wait_for_end() == 2
    assert "\x1b[31m\x1b[1merror:\x1b[0m" in coloured.raw
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = terminal("evaluate", "nowhere", env=env)
        assert plain.wait_for_end() == 2
        assert plain.raw.startswith("error: ")


def test_places_carets_and_labels_are_coloured(terminal, cwd):
    (cwd / "wrong.yaml").write_text((cwd / "tiny.yaml").read_text().replace("units: 5", "unitz: 5"))
    screen = terminal("check", "wrong.yaml", columns=100)
    assert screen.wait_for_end() == 2
    assert "\x1b[1mwrong.yaml:6:14:\x1b[0m unknown parameter" in screen.raw
    assert "\x1b[34m    6 |\x1b[0m   - Affine: {unitz: 5}" in screen.raw
    assert "\x1b[31m\x1b[1m              ^^^^^\x1b[0m" in screen.raw
    assert "\x1b[36m  help:\x1b[0m did you mean 'units'?" in screen.raw


def test_a_warning_is_yellow(terminal, cwd):
    (cwd / "acme.py").write_text((cwd / "acme.py").read_text().replace("Slow)", "Slow, deprecated='use Relu')"))
    screen = terminal("check", "tiny.yaml", "--plugin", "acme.py", "--set", "layers.Relu1={acme.Slow: {seconds: 0}}")
    assert screen.wait_for_end() == 0
    assert "\x1b[33m\x1b[1m warning:\x1b[0m" in screen.raw


def test_wrong_usage_is_red_too(terminal):
    screen = terminal("chekc")
    assert screen.wait_for_end() == 2
    assert "\x1b[31m\x1b[1mError:\x1b[0m unknown command 'chekc'" in screen.raw
    plain = terminal("chekc", env={"NO_COLOR": "1"})
    assert plain.wait_for_end() == 2
    assert "\x1b" not in plain.raw


def test_a_pipe_has_colours_only_if_they_are_forced(mlpkit):
    assert "\x1b" not in mlpkit("evaluate", "nowhere").err
    assert "\x1b[31m" in mlpkit("evaluate", "nowhere", env={"FORCE_COLOR": "1"}).err
    assert "\x1b" not in mlpkit("evaluate", "nowhere", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).err
    assert "\x1b" not in mlpkit("--help").out
    assert "\x1b[36mcheck\x1b[0m" in mlpkit("--help", env={"FORCE_COLOR": "1"}).out


@pytest.mark.parametrize(
    ("arguments", "stream"),
    [
        (["--color", "WHEN", "evaluate", "nowhere"], "err"),
        (["evaluate", "nowhere", "--color=WHEN"], "err"),
        (["evaluate", "--nonsense", "--color", "WHEN"], "err"),
        (["--nonsense", "--color", "WHEN"], "err"),
        (["--help", "--color", "WHEN"], "out"),
        (["check", "--help", "--color", "WHEN"], "out"),
        (["check", "tiny.yaml", "--color", "never", "--color", "WHEN", "--set", "training.batch_size=x"], "err"),
    ],
)
def test_the_command_line_says_when_to_use_colours(arguments, stream, mlpkit):
    def coloured(when, **env):
        done = mlpkit(*(argument.replace("WHEN", when) for argument in arguments), env=env)
        return "\x1b[" in getattr(done, stream)

    assert coloured("always")
    assert coloured("always", NO_COLOR="1", TERM="dumb")
    assert not coloured("never", FORCE_COLOR="1")
    assert coloured("auto", FORCE_COLOR="1")
    assert not coloured("auto")


def test_a_wrong_time_for_colours_is_an_error(mlpkit):
    done = mlpkit("check", "tiny.yaml", "--color", "sometimes")
    assert done.code == 2
    assert "'sometimes' is not one of 'auto', 'always', 'never'" in done.err
    assert mlpkit("check", "tiny.yaml", "--color").code == 2
    assert mlpkit("check", "--", "--color", "always").code == 2  # these are files


def test_headings_and_options_of_the_help_are_coloured(terminal):
    screen = terminal("check", "--help")
    assert screen.wait_for_end() == 0
    assert "\x1b[1mUsage:\x1b[0m mlpkit check" in screen.raw
    assert "\x1b[36m-h, --help\x1b[0m  " in screen.raw
    assert "\x1b[36m--set\x1b[0m KEY=VALUE" in screen.raw
