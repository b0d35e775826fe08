"""Breaks mlpkit in one place at a time, at random, and runs the tests that should notice: a mutation study.

    python tools/record_tests.py -n 2 -m "not long and not fuzz"
    python tools/mutants.py --seed 1 --count 60 --results mutants.jsonl

It changes source files of its own tree and restores each afterwards, so run it in a copy, with mlpkit installed from it
(``pip install -e ".[test-all]"``). The first command runs all tests once and records the lines that each reaches; a
mutant is tested by the tests that reach its line, slow ones too, or with ``--default`` only those of the default suite.
A test that also fails without the mutant doesn't count. The results have a line for each mutant, with a verdict:

    killed     a test fails
    survived   tests run the line, and none fails: write a test, or make sure that the mutant changes nothing
    unreached  none of the tests runs the line
    invalid    the mutant doesn't compile, and doesn't count

The same command, called again, continues where it was stopped; with ``--again``, it repeats the mutants not killed.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reached_lines import RECORDS, read_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
SOURCES = ["mlpkit", "plugins/mlpkit_plugins"]
KERNELS = Path("plugins/mlpkit_plugins/kernels")
TESTS_OF_KERNELS = [
    ["tests/plugins/kernels"],
    ["tests/plugins/formats", "tests/plugins/functions"],
    ["tests/plugins/layers"],
]
MAX_PER_FILE = 2
TEST_TIMEOUT, RUN_TIMEOUT = 120, 900
QUICK, WHOLE = 8, 60
"""The limits for the tests of one step, in the seconds that they took when their lines were recorded."""

WITHOUT_EFFECT = {"examples"}
"""Functions whose values may be others: the examples of components, for pages and the conformance suite."""

SWAPPED: dict[type[ast.AST], type[Any]] = {}
for one, other in (
    (ast.Lt, ast.LtE),
    (ast.Gt, ast.GtE),
    (ast.Eq, ast.NotEq),
    (ast.Is, ast.IsNot),
    (ast.In, ast.NotIn),
    (ast.Add, ast.Sub),
    (ast.Mult, ast.Div),
    (ast.And, ast.Or),
):
    SWAPPED |= {one: other, other: one}

IN_C = {"<": "<=", ">": ">=", "==": "!=", "&&": "||", "+": "-", "*": "/", "+=": "-="}
IN_C |= {other: one for one, other in IN_C.items()}
PATTERNS_OF_C = {
    "operator": re.compile(r"(?<= )(?:[<>=!+-]=|&&|\|\||[<>+*/-])(?= )"),
    "constant": re.compile(r"(?<![\w.])\d+(?![\w.])"),
    "statement deleted": re.compile(r"(?<=  )[\w\[\]>.*()-]+ [-+*/|&^]?= [^;\n]*;"),
}
NO_CODE_IN_C = re.compile(r"/\*.*?\*/|\"(?:\\.|[^\"\\])*\"|^#[^\n]*", re.DOTALL | re.MULTILINE)
CACHING_COMPILER = """#!/bin/sh
# Compiles each source once, and copies the object afterwards.
for each; do
    shift
    if [ "$before" = -o ]; then object=$each; elif [ "$each" != -o ]; then set -- "$@" "$each"; fi
    before=$each
done
case "$*" in *" -c "*) ;; *) exec cc "$@" -o "$object" ;; esac
known=$(dirname "$0")/$( (echo "$*"; cc "$@" -E -P) | sha256sum | cut -c1-40).o
[ -e "$known" ] || cc "$@" -o "$known" || exit 1
cp "$known" "$object"
"""

RECORDER = """

def _reached(value, seen=[]):
    if not seen:
        seen.append(1)
        open({file!r}, "w").close()
    return value
"""


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Args:
        file: the file, from the root of the tree.
        line: the line of the change.
        last_line: the last line of the original code.
        kind: the kind of change.
        before: the original code.
        after: the code that replaces it.
        begin: the offset of the original code in the file, in bytes.
        end: the offset of its end.
        recorded: whether it is inside a function, so that the mutant can record that it was reached.
        is_statement: whether it is a whole statement.
    """

    file: str
    line: int
    last_line: int
    kind: str
    before: str
    after: str
    begin: int
    end: int
    recorded: bool
    is_statement: bool

    def source(self, original: bytes, record: Path) -> bytes:
        """Return the file with the change."""
        changed = self.after
        if self.recorded:
            changed = f"_reached(None); {changed}" if self.is_statement else f"_reached(({changed}))"
        elif not self.is_statement:
            changed = f"({changed})"
        source = original[: self.begin] + changed.encode() + original[self.end :]
        return source + RECORDER.format(file=str(record)).encode() if self.recorded else source


class _Finder(ast.NodeVisitor):
    """Finds all possible mutants of a file, except in annotations, strings, decorators and code for type checkers."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file, self.source, self.mutants = file, source, list[Mutant]()
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._depth = 0
        self.visit(ast.parse(source))

    def _add(self, kind: str, node: Any, after: str | ast.AST) -> None:
        begin = self._starts[node.lineno - 1] + node.col_offset
        end = self._starts[node.end_lineno - 1] + node.end_col_offset
        text = after if isinstance(after, str) else ast.unparse(after)
        before = self.source[begin:end].decode()
        is_statement = isinstance(node, ast.stmt)
        place = (begin, end, self._depth > 0, is_statement)
        self.mutants.append(Mutant(self.file, node.lineno, node.end_lineno, kind, before, text, *place))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        depth, self._depth = self._depth, 0
        for child in node.body:
            self.visit(child)
        self._depth = depth

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in WITHOUT_EFFECT:
            return
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(default)
        self._depth += 1
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        if isinstance(node.returns, ast.Constant) and node.returns.value is None:
            for statement in body[1:]:
                self._add("early return", statement, "return")
        for child in body:
            self.visit(child)
        self._depth -= 1

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break) and not node.orelse:
            self._add("guard never taken", node.test, "False")
        else:
            self._add("branch negated", node.test, f"not ({ast.unparse(node.test)})")
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._add("branch negated", node.test, f"not ({ast.unparse(node.test)})")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        if len(node.ops) == 1:
            swapped = SWAPPED[type(node.ops[0])]()
            self._add("comparison", node, ast.Compare(node.left, [swapped], node.comparators))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        texts = any(isinstance(each, ast.JoinedStr | ast.Constant) and not _is_number(each) for each in _leaves(node))
        if type(node.op) in SWAPPED and not texts:
            self._add("arithmetic", node, ast.BinOp(node.left, SWAPPED[type(node.op)](), node.right))
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self._add("and, or", node, ast.BoolOp(SWAPPED[type(node.op)](), node.values))
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._add("not", node, node.operand)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._add("constant", node, str(not node.value))
        elif isinstance(node.value, int | float):
            self._add("constant", node, repr(node.value + 1 if isinstance(node.value, int) else 2 * node.value or 1.0))

    def visit_Call(self, node: ast.Call) -> None:
        plain = not any(isinstance(each, ast.Starred | ast.Constant) for each in node.args[:2])
        if len(node.args) > 1 and plain and ast.unparse(node.func) not in {"isinstance", "issubclass"}:
            first, second, *others = node.args
            if type(first) is type(second) and ast.dump(first) != ast.dump(second):
                self._add("arguments", node, ast.Call(node.func, [second, first, *others], node.keywords))
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self._add("statement deleted", node, "pass")
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self._add("statement deleted", node, "pass")
        self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._add("statement deleted", node, "pass")
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in {"strict", "frozen", "slots", "stacklevel"}:
            self.generic_visit(node)

    def visit_match_case(self, node: ast.match_case) -> None:
        for child in (*filter(None, [node.guard]), *node.body):
            self.visit(child)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Skip it: before Python 3.12, its parts have no positions."""


def _mutants_of_c(file: str, source: bytes) -> list[Mutant]:
    text = source.decode("ascii")
    code = NO_CODE_IN_C.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    mutants = []
    for kind, pattern in PATTERNS_OF_C.items():
        for match in pattern.finditer(code):
            line, before = code.count("\n", 0, match.start()) + 1, match[0]
            after = IN_C[before] if kind == "operator" else str(int(before) + 1) if kind == "constant" else ";"
            mutants.append(
                Mutant(file, line, line, kind, before, after, *match.span(), recorded=False, is_statement=True)
            )
    return mutants


def _leaves(node: ast.AST) -> list[ast.AST]:
    return [*_leaves(node.left), *_leaves(node.right)] if isinstance(node, ast.BinOp) else [node]


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def sample_mutants(seed: int, count: int, prefixes: list[str]) -> list[Mutant]:
    """Draw mutants at random from files whose paths begin with one of the prefixes, or from C code for ``["C"]``."""
    mutants: list[Mutant] = []
    if prefixes == ["C"]:
        for path in sorted([*(ROOT / KERNELS).glob("*.c"), *(ROOT / KERNELS).glob("*.h")]):
            mutants += _mutants_of_c(path.relative_to(ROOT).as_posix(), path.read_bytes())
    for file in source_files():
        if any(map(file.as_posix().startswith, prefixes)):
            mutants += _Finder(file.as_posix(), (ROOT / file).read_bytes()).mutants
    random.Random(seed).shuffle(mutants)
    per_file: dict[str, int] = {}
    sample = []
    for mutant in mutants:
        per_file[mutant.file] = per_file.get(mutant.file, 0) + 1
        if per_file[mutant.file] <= MAX_PER_FILE:
            sample.append(mutant)
    return sample[:count]


def tests_of(mutants: list[Mutant], records: Path) -> dict[Mutant, list[list[str]]]:
    """Return the tests for each mutant in steps: first the quick ones that reach its lines, then all that do.

    A third step has the other tests of the same files, which may share a fixture that reaches them, and for a mutant
    that no test reaches, or that is outside functions, those that reach its file.
    """
    seconds, reaching, near = dict[str, float](), defaultdict[Mutant, set[str]](set), defaultdict[Mutant, set[str]](set)
    by_file = defaultdict(list)
    for mutant in mutants:
        by_file[mutant.file].append(mutant)
    for test, duration, lines in read_records(records):
        if not (ROOT / _file(test)).is_file():  # a test that another test wrote and ran
            continue
        seconds[test] = max(duration, seconds.get(test, 0))
        for file in by_file.keys() & lines.keys():
            for mutant in by_file[file]:
                near[mutant].add(test)
                if mutant.recorded and not lines[file].isdisjoint(range(mutant.line, mutant.last_line + 1)):
                    reaching[mutant].add(test)
    in_file = defaultdict(set)
    for test in seconds:
        in_file[_file(test)].add(test)

    def steps(mutant: Mutant) -> list[list[str]]:
        exact = _ordered(mutant, reaching[mutant], seconds)
        beside = set().union(*(in_file[_file(test)] for test in exact)) if exact else near[mutant]
        others = _ordered(mutant, beside - set(exact), seconds)
        first = _within(exact, seconds, QUICK)
        quick = set(first)
        later = [test for test in exact if test not in quick]
        return [first, _within(later, seconds, WHOLE), _within(others, seconds, WHOLE)]

    return {mutant: steps(mutant) for mutant in mutants}


def tests_of_kernels(mutants: list[Mutant]) -> dict[Mutant, list[list[str]]]:
    """Return the test files for mutants of C."""
    return dict.fromkeys(mutants, TESTS_OF_KERNELS)


def _ordered(mutant: Mutant, tests: set[str], seconds: dict[str, float]) -> list[str]:
    """Return tests in the order to run them: files named after the mutant's file, then those with the most tests."""
    count = Counter(map(_file, tests))
    return sorted(
        tests, key=lambda test: (not _is_named_after(mutant, test), -count[_file(test)], _file(test), seconds[test])
    )


def _within(tests: list[str], seconds: dict[str, float], limit: float) -> list[str]:
    """Return the first of the tests, as many as take ``limit`` seconds; reading a file of tests takes one."""
    total, files, kept = 0.0, set[str](), list[str]()
    for test in tests:
        needed = seconds[test] + (_file(test) not in files)
        if total + needed <= limit:
            total += needed
            files.add(_file(test))
            kept.append(test)
    return kept


def _file(test: str) -> str:
    return test.partition("::")[0]


def _is_named_after(mutant: Mutant, test: str) -> bool:
    file = Path(mutant.file)
    stem = file.stem if file.stem != "__init__" else file.parent.name
    return re.search(rf"\btest_{stem}(_\w+)?\.py::|/{stem}/", test) is not None


def source_files() -> list[Path]:
    """Return the source files that can be changed, relative to the root of the tree, without texts and data."""
    files = [path.relative_to(ROOT) for folder in SOURCES for path in sorted((ROOT / folder).rglob("*.py"))]
    return [file for file in files if not re.search("/(shipped|example)_", file.as_posix())]


def run_tests(tests: list[str], without: Sequence[str] = (), *, default: bool) -> str | None:
    """Return the first test that fails; None if all pass or there are no tests."""
    if not tests:
        return None
    options = ["-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-p", "chosen_tests", "--timeout", str(TEST_TIMEOUT)]
    options += [f"--deselect={test}" for test in without]
    if not default:
        options += ["-m", "not long and not fuzz"]
    files = dict.fromkeys(map(_file, tests))
    chosen = Path(tempfile.gettempdir(), f"chosen_tests_{os.getpid()}")
    chosen.write_text("\n".join(tests), "utf-8")
    environment = os.environ | {"CI": "true", "PYTHONPATH": str(ROOT / "tools"), "MLPKIT_CHOSEN_TESTS": str(chosen)}
    environment.setdefault("MLPKIT_EXPECT", "kernels,flush")
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=RUN_TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"not finished within {RUN_TIMEOUT} s"
    if process.returncode in {0, 5}:  # passed, or nothing collected
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output, re.MULTILINE)
    return failed[1] if failed else output.strip().splitlines()[-1][:200]


@contextmanager
def broken(mutant: Mutant, record: Path) -> Iterator[bool]:
    """Apply a mutant inside the block, and yield whether it compiles."""
    path = ROOT / mutant.file
    original = path.read_bytes()
    changed = mutant.source(original, record)
    library = next((ROOT / KERNELS).glob("compiled*.so"), None) if path.suffix != ".py" else None
    try:
        path.write_bytes(changed)
        if library is None:
            yield True
        else:
            kept = library.rename(library.with_suffix(".kept"))
            try:
                build_kernels()
                yield library.exists()
            finally:
                kept.replace(library)
    finally:
        path.write_bytes(original)


def build_kernels() -> None:
    """Compile the kernels in place, copying the objects of sources compiled before."""
    compiler = Path(tempfile.gettempdir(), "compiled_for_mutants", "cc")
    compiler.parent.mkdir(exist_ok=True)
    compiler.write_text(CACHING_COMPILER, "ascii")
    compiler.chmod(0o755)
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--force"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "CC": str(compiler)}, capture_output=True, check=False)


def test_mutant(mutant: Mutant, steps: list[list[str]], *, default: bool) -> dict[str, Any]:
    """Test a mutant, and return the line of the results."""
    start, failed, known = time.monotonic(), None, list[str]()
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder, "reached")
        for tests in steps:
            while True:
                with broken(mutant, record) as compiles:
                    if not compiles:
                        break
                    failed = run_tests(tests, known, default=default)
                if failed is None or "::" not in failed or run_tests([failed], default=default) is None:
                    break
                known.append(failed)  # it fails without the mutant, too
            if failed or not compiles:
                break
        reached = record.exists() or not mutant.recorded
    verdict = "killed" if failed else "survived" if reached else "unreached"
    if not compiles:
        verdict = "invalid"
    place = {"file": mutant.file, "line": mutant.line, "begin": mutant.begin, "kind": mutant.kind}
    change = {"before": mutant.before, "after": mutant.after}
    return place | change | {"verdict": verdict, "by": failed, "seconds": round(time.monotonic() - start)}


def main() -> None:
    """Test the requested number of mutants, and print the counts of the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--results", type=Path, default=Path("mutants.jsonl"))
    parser.add_argument("--records", type=Path, default=RECORDS, help="the folder of the recorded lines")
    parser.add_argument("--again", action="store_true", help="repeat the mutants not killed before")
    parser.add_argument("--default", action="store_true", help="run only the default suite")
    parser.add_argument("--list", action="store_true", help="only print the mutants")
    where = "what to break: beginnings of paths, or C for the kernels"
    parser.add_argument("files", nargs="*", default=SOURCES, help=where)
    options = parser.parse_args()
    results = {}
    if options.results.exists():
        for line in options.results.read_text("utf-8").splitlines():
            result = json.loads(line)
            results[result["file"], result["begin"], result["kind"]] = result
    mutants = sample_mutants(options.seed, options.count, options.files)
    if options.list:
        for mutant in mutants:
            print(f"{mutant.file}:{mutant.line}: {mutant.kind}: {mutant.before!r} -> {mutant.after!r}")
        return
    steps = tests_of_kernels(mutants) if options.files == ["C"] else tests_of(mutants, options.records)
    for mutant in mutants:
        key = (mutant.file, mutant.begin, mutant.kind)
        if key not in results or (options.again and results[key]["verdict"] in {"survived", "unreached"}):
            results[key] = test_mutant(mutant, steps[mutant], default=options.default)
            with options.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(results[key]) + "\n")
            print(*(results[key][name] for name in ("verdict", "file", "line", "kind", "by")), flush=True)
    verdicts = [result["verdict"] for result in results.values()]
    print(", ".join(f"{verdicts.count(each)} {each}" for each in sorted(set(verdicts))))


if __name__ == "__main__":
    main()
