"""The contestants: names, implementations and requirements."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec

SMALL_STEP = 300_000_000
"""Floating-point operations of a step up to which a single thread is tried as well."""


@dataclass(frozen=True, eq=False)
class Entry:
    """A contestant: its name in options and JSON, its title in tables, and ``module:Class`` within ``contestants``.

    Packages that it needs have the distributions that bring them as values.
    """

    name: str
    title: str
    implementation: str
    needs: dict[str, str]
    compiles: bool = False
    chooses_threads: bool = False

    @property
    def missing(self) -> str:
        """What it lacks on this machine; empty if it can take part."""
        lacking = [distribution for package, distribution in self.needs.items() if find_spec(package) is None]
        if lacking:
            return f"{' and '.join(lacking)} not installed (pip install mlpkit[bench])"
        if self.compiles and not any(map(shutil.which, (os.environ.get("CXX") or "c++", "g++", "clang++"))):
            return "there is no C++ compiler"
        return ""

    def thread_counts(self, flops: int, cores: int) -> list[int | None]:
        """Return the thread counts to try for a step with this many operations; None lets the library choose."""
        if self.chooses_threads:
            return [None]
        if self is LIMIT:
            return [*sorted({1, cores})]
        return [None, 1] if flops < SMALL_STEP and cores > 1 else [None]

    def versions(self) -> dict[str, str]:
        """Return the version of each distribution it needs."""
        return {distribution: version(distribution) for distribution in self.needs.values()}


OURS = Entry("mlpkit", "mlpkit", "mlpkit_trainer:MlpkitTrainer", {}, chooses_threads=True)
LIMIT = Entry("limit", "matrix products alone", "matrix_products:MatrixProducts", {})
PYTORCH = Entry("pytorch", "PyTorch eager", "pytorch:PytorchEager", {"torch": "torch"})
PYTORCH_COMPILED = Entry(
    "pytorch_compiled", "PyTorch compiled", "pytorch:PytorchCompiled", {"torch": "torch"}, compiles=True
)
JAX = Entry("jax", "JAX jit", "jax_jit:JaxJit", {"jax": "jax"})
KERAS = Entry("keras", "Keras (JAX)", "keras_jax:KerasJax", {"keras": "keras", "jax": "jax"})
SCIKIT_LEARN = Entry("scikit_learn", "scikit-learn", "scikit_learn:ScikitLearn", {"sklearn": "scikit-learn"})
ONNXRUNTIME = Entry(
    "onnxruntime",
    "onnxruntime",
    "onnxruntime_session:OnnxruntimeSession",
    {"onnx": "onnx", "onnxruntime": "onnxruntime"},
)
PEERS = [PYTORCH, PYTORCH_COMPILED, JAX, KERAS, SCIKIT_LEARN]
"""Those that train, and predict."""
PREDICTORS = [*PEERS, ONNXRUNTIME]
"""Those that predict."""
