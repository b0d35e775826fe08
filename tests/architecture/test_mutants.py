"""The mutation study breaks the code in the ways that it says, and in no others."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = '''"""Not 1 of these."""
LIMIT: int = 3

def f(x: int, y: "é" = 2) -> None:
    """Nor < these."""
    if x < y and not LIMIT:
        return
    g(x, y)
    print(f"{x + 1}", end="é", flush=True)
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
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "tools/mutants.py")
    sys.modules["mutants"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
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


def test_a_mutant_meets_the_tests_of_its_name_and_of_what_imports_it(mutants):
    mutant = mutants.Mutant(
        "mlpkit/verbs/doctor/health_history.py", 1, "", "", "", 0, 0, ("HealthHistory",), True, False
    )
    named, mentioned, others = mutants.tests_of(mutant)
    assert named == ["tests/verbs/doctor/test_health_history.py"]
    assert "tests/verbs/doctor/test_symptoms.py" in mentioned
    assert "tests/verbs/doctor/test_health.py" in [*mentioned, *others]


def test_a_mutant_of_the_kernels_meets_their_tests_and_those_of_formats(mutants):
    mutant = mutants.Mutant("plugins/mlpkit_plugins/kernels/take.c", 1, "", "", "", 0, 0, (), False, True)
    first, second, _ = mutants.tests_of(mutant)
    assert first == ["tests/plugins/kernels"]
    assert "tests/plugins/formats" in second
