"""The mutation study breaks the code in the ways that it says, and in no others."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlpkit.lazy_names import load
from mlpkit.statistics import interval

ROOT = Path(__file__).parents[2]
SOURCE = '''"""Not 1 of these."""
LIMIT: int = 3

def f(x: int, y: "é" = 2) -> None:
    """Nor < these."""
    if x < y and not LIMIT:
        return
    g(x, y)
    print(f"{x + 1}", end="é", flush=True)

def examples():
    return 5
'''.encode()
MUTANTS = {
    "LIMIT: int = (4)",
    "= (3)) -> None",
    "if _reached((False)):",
    "if _reached((x < y or not LIMIT)):",
    "if _reached((x <= y)) and",
    "and _reached((LIMIT)):",
    "    _reached(None); return",
    "    _reached(None); pass",
    "    _reached((g(y, x)))",
    "flush=_reached((False)))",
}


@pytest.fixture(scope="module")
def mutants():
    sys.path.insert(0, str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "tools/mutants.py")
    sys.modules["mutants"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(ROOT / "tools"))
    del sys.modules["mutants"]


def test_each_kind_of_change_is_made_once_at_its_place(mutants):
    changed = [mutant.source(SOURCE, Path("reached")).decode() for mutant in mutants._Finder("f.py", SOURCE).mutants]
    for text in changed:
        compile(text, "f.py", "exec")
    assert {sum(part in text for part in MUTANTS) for text in changed} == {1}
    assert {part for part in MUTANTS if any(part in text for text in changed)} == MUTANTS


def test_in_c_comments_texts_and_directives_are_left_alone(mutants):
    source = b'#define N 4\n/* a < 3 */\nint f(int a) {\n    a = a + 1; // no\n    return a < N ? "b < 4" : 0;\n}\n'
    found = [(mutant.line, mutant.before, mutant.after) for mutant in mutants._mutants_of_c("f.c", source)]
    assert found == [(4, "+", "-"), (5, "<", "<="), (4, "1", "2"), (5, "0", "1"), (4, "a = a + 1;", ";")]


def mutant_at(mutants, file, line, *, recorded=True):
    return mutants.Mutant(file, line, line, "", "", "", 0, 0, recorded=recorded, is_statement=True)


def test_a_mutant_meets_the_tests_that_reach_its_line_those_named_after_its_file_first(mutants, tmp_path):
    file = "mlpkit/runs/folder.py"
    conftest, named, other = (f"tests/{each}" for each in ("conftest.py", "runs/test_folder.py", "runs/test_files.py"))
    records = [
        {"test": f"{other}::test_quick", "seconds": 0.1, "lines": {file: [7, 8]}},
        {"test": f"{named}::test_slow", "seconds": 2, "lines": {file: [8]}},
        {"test": f"{named}::test_beside", "seconds": 1, "lines": {file: [9]}},
        {"test": f"{other}::test_elsewhere", "seconds": 1, "lines": {"mlpkit/runs/files.py": [8]}},
        {"test": "tests/test_gone.py::test_gone", "seconds": 0, "lines": {file: [8]}},
    ]
    (tmp_path / "1.tests").write_text("\n".join(map(json.dumps, records)))
    (tmp_path / "2.child").write_text(f"{conftest}::test_process\n{file}:8\n{file}:")
    inside, outside = mutant_at(mutants, file, 8), mutant_at(mutants, file, 3, recorded=False)
    steps = mutants.tests_of([inside, outside], tmp_path)
    exact = [f"{named}::test_slow", f"{conftest}::test_process", f"{other}::test_quick"]
    assert steps[inside] == [exact, [], [f"{named}::test_beside", f"{other}::test_elsewhere"]]
    assert steps[outside] == [[], [], [f"{named}::test_beside", *exact]]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="recording lines needs Python 3.12 or later")
def test_the_lines_of_a_process_are_recorded_with_the_test_that_started_it(mutants, tmp_path):
    program = "import reached_lines; from mlpkit.lazy_names import load; load('math:pi')"
    environment = {**os.environ, "MLPKIT_REACHED_LINES": str(tmp_path), "PYTHONPATH": str(ROOT / "tools")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    [(test, _, lines)] = sys.modules["reached_lines"].read_records(tmp_path)
    assert test.endswith("test_the_lines_of_a_process_are_recorded_with_the_test_that_started_it")
    body, start = inspect.getsourcelines(load)
    assert start + len(body) - 1 in lines["mlpkit/lazy_names.py"]


def test_a_mutant_of_the_kernels_meets_their_tests_and_those_of_formats(mutants):
    mutant = mutant_at(mutants, "plugins/mlpkit_plugins/kernels/take.c", 1)
    first, second, _ = mutants.tests_of_kernels([mutant])[mutant]
    assert first == ["tests/plugins/kernels"]
    assert "tests/plugins/formats" in second


TESTS = {
    "test_a.py": "import pytest\n\n@pytest.fixture(scope='module')\ndef pi():\n    from mlpkit.lazy_names import load\n"
    "    return load('math:pi')\n\ndef test_one(pi): pass\ndef test_two(pi): pass\ndef test_other(): pass\n",
    "test_b.py": "import pytest\n\npytest.register_assert_rewrite('mlpkit.statistics')\n\n"
    "def test_three():\n    from mlpkit.statistics import interval\n    interval([1, 2])\n",
}


def run_pytest(folder, *options, **variables):
    for name, text in TESTS.items():
        (folder / name).write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools"), **variables}
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", f"--rootdir={folder}", *options]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def test_the_chosen_tests_run_in_the_order_of_their_files(tmp_path):
    chosen = tmp_path / "chosen"
    chosen.write_text("test_b.py\ntest_a.py::test_two\n")
    out = run_pytest(tmp_path, "-p", "chosen_tests", MLPKIT_CHOSEN_TESTS=str(chosen))
    assert re.findall(r"(\S+) PASSED", out) == ["test_b.py::test_three", "test_a.py::test_two"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="recording lines needs Python 3.12 or later")
def test_a_test_reaches_what_its_shared_fixtures_reach_and_modules_that_pytest_rewrites(mutants, tmp_path):
    run_pytest(tmp_path, "-p", "record_tests", MLPKIT_REACHED_LINES=str(tmp_path))
    records = {
        test: lines
        for test, _, lines in sys.modules["reached_lines"].read_records(tmp_path)
        if test.startswith("test_")
    }

    def reaching(function, file):
        body, start = inspect.getsourcelines(function)
        return {test for test, lines in records.items() if start + len(body) - 1 in lines.get(file, ())}

    assert set(records) == {f"test_a.py::test_{name}" for name in ("one", "two", "other")} | {"test_b.py::test_three"}
    assert reaching(load, "mlpkit/lazy_names.py") == {"test_a.py::test_one", "test_a.py::test_two"}
    assert reaching(interval, "mlpkit/statistics.py") == {"test_b.py::test_three"}
