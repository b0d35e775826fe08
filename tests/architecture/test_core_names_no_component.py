"""The core must not know any component by name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import mlpkit
import mlpkit_plugins
from mlpkit.graph.evaluator import OPERATORS
from mlpkit.specfile.sections import TOP_LEVEL

CORE = Path(mlpkit.__file__).parent
# What stands on the core speaks of built-ins: to users of scikit-learn, and in the lessons, which a wheel keeps there.
NOT_CORE = {*(CORE / "sklearn").glob("*.py"), *(CORE / "shipped_specs").rglob("*.py")}
NAMES = {declared.name for declared in mlpkit_plugins.mlpkit_components()} - set(TOP_LEVEL.schema.types)  # coverage
ALLOWED = {
    # the Python face is a contract: network.accuracy(x, t)
    ("network/sequential.py", "accuracy"),
    # a mode of ONNX's operator Pad
    ("graph/evaluator.py", "constant"),
    # keys of the playground's messages, and of a snapshot
    ("verbs/play/pictures.py", "index"),
    ("verbs/play/session.py", "step"),
    ("verbs/play/training.py", "step"),
    # what a message says in place of a value, a marker's colour, and a parameter's value
    ("verbs/export/provenance_command.py", "none"),
    ("display/plot.py", "none"),
    ("jobs/run_inputs.py", "none"),
    ("verbs/card/card.py", "none"),
    ("verbs/serve/app.py", "none"),
    # a key of a spec's training
    ("jobs/prove.py", "precision"),
    ("specfile/sections.py", "precision"),
    # a key of a teacher
    ("verbs/distill/distill.py", "temperature"),
    ("verbs/distill/teacher.py", "temperature"),
    # what inputs and targets may be
    ("components/category_encoding.py", "one_hot"),
    ("components/input_columns.py", "one_hot"),
    ("components/target.py", "one_hot"),
    ("verbs/serve/rows.py", "one_hot"),
    ("testing/suite/checks/fitted.py", "one_hot"),
    # an example in a message
    ("verbs/homework/marking.py", "Relu"),
    # a column of made-up data
    ("testing/suite/checks/dataset.py", "c"),
    # an attribute of a data frame
    ("jobs/inputs.py", "index"),
    # an option of the command line
    ("cli/options.py", "mpi"),
    ("cli/verbs.py", "mpi"),
    ("verbs/data/command.py", "html"),
    # a number of steps is called so in events, in checkpoints, in lock.json and where randomness is keyed
    ("display/json_events.py", "step"),
    ("verbs/trace/command.py", "step"),
    ("jobs/resume_network.py", "step"),
    ("verbs/repro/repro.py", "step"),
    ("verbs/trace/output.py", "step"),
    ("verbs/run/resume.py", "step"),
    ("runs/json_files.py", "step"),
    ("training/checkpointing.py", "step"),
    ("training/loop.py", "step"),
}

OPERATORS_BY_NAME = {CORE / "graph", CORE / "testing/suite/checks/exporter.py"}
ONNX_OPERATORS = {operator for _, operator in OPERATORS}


def _string_constants(tree: ast.AST) -> set[str]:
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return {
        word
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        for word in re.findall(r"\w+", node.value)
    }


class _WithoutOperators(ast.NodeTransformer):
    """Empties strings that are the name of an ONNX operator."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if node.value in ONNX_OPERATORS else node


def test_no_string_in_the_core_is_the_name_of_a_built_in_component():
    # The names of "words" are words as well, or endings of files that the core reads or writes, such as ".npy" and
    # ".html": they count only where they stand alone.
    words = {"normal", "zeros", "constant", "step", "none", "index", "ordinal", "sign", "frame"}
    words |= {"Columns", "mnist", "npy", "npz", "csv", "parquet", "c", "html", "js", "onnx", "dask", "mpi", "slurm"}
    found = set()
    for path in set(CORE.rglob("*.py")) - NOT_CORE:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not OPERATORS_BY_NAME.isdisjoint({path, *path.parents}):  # "Relu" is ONNX's operator there
            tree = _WithoutOperators().visit(tree)
        for name in _string_constants(tree) & (NAMES - words):
            found.add((path.relative_to(CORE).as_posix(), name))
        exact = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        found |= {(path.relative_to(CORE).as_posix(), name) for name in exact & words}
    assert found - ALLOWED == set()


def test_every_built_in_stands_in_a_file_called_after_it():
    for declared in mlpkit_plugins.mlpkit_components():
        module, _, name = declared.target.partition(":")
        snake_case = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        assert module.rpartition(".")[2] == snake_case
