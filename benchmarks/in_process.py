"""Workloads of warm processes: a training step by optimizer, shape and layer, LeNet-5, and predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import targets
from comparison import Comparison
from contestants.roster import JAX, LIMIT, ONNXRUNTIME, OURS, PYTORCH
from contestants.task import Task
from processes import contest
from report import say
from rounds import Side, take_turns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from comparison import Bench
    from contestants.roster import Entry
    from rounds import Measured

ACTIVATIONS: Final = ("Relu", "LeakyRelu", "Elu", "Selu", "Silu", "Mish", "Gelu", "Softplus", "Sigmoid", "Tanh")
AFTER_RELU: Final = ("Dropout", "BatchNorm", "LayerNorm")
"""Layers that come after Relu; JAX, which has no layers, takes no part."""
SHAPES_OF_ACTIVATIONS: Final = ((256, 256), (50, 1000))
LENET_BATCH_SIZES: Final = (32, 64, 128, 256)


def sgd_step(bench: Bench) -> list[Comparison]:
    """Compare a step of plain gradient descent with all peers and the limit."""
    comparisons = []
    for shape in bench.shapes:
        compared = _step(bench, "sgd", *shape)
        best = compared.best_peer()
        if best is not None:
            compared.ask_ratio(best, targets.SGD_AGAINST_BEST_PEER.get(shape), f"best peer ({best.title}) / mlpkit")
        compared.ask_ratio(compared.figure("pytorch"), targets.SGD_AGAINST_PYTORCH.get(shape), "PyTorch eager / mlpkit")
        compared.ask_ratio(compared.figure("limit"), targets.SHARE_OF_LIMIT.get(shape), "share of the limit")
        comparisons.append(compared)
    return comparisons


def adam_step(bench: Bench) -> list[Comparison]:
    """Compare a step of Adam with all peers and the limit."""
    comparisons = []
    for shape in bench.shapes:
        compared = _step(bench, "adam", *shape)
        pytorch, jax = targets.ADAM_AGAINST_PYTORCH.get(shape), targets.ADAM_AGAINST_JAX.get(shape)
        compared.ask_ratio(compared.figure("pytorch"), pytorch, "PyTorch with fused Adam / mlpkit")
        compared.ask_ratio(compared.figure("jax"), jax, "JAX / mlpkit")
        comparisons.append(compared)
    return comparisons


def _step(bench: Bench, optimizer: str, hidden: int, batch_size: int) -> Comparison:
    """Compare a step of 784-H-H-10."""
    title = f"{optimizer} step, 784-{hidden}-{hidden}-10, minibatches of {batch_size}"
    measured = _time(bench, title, Task((hidden, hidden), batch_size, optimizer), [OURS, LIMIT, *bench.peers])
    about = {"hidden": hidden, "batch_size": batch_size, "optimizer": optimizer}
    return Comparison.of(f"{optimizer}_step", title, measured, about)


def activations(bench: Bench) -> list[Comparison]:
    """Compare steps of plain gradient descent by what comes after their affine layers."""
    with_jax = [(name,) for name in ACTIVATIONS]
    without = [("Prelu",), *(("Relu", name) for name in AFTER_RELU)]
    comparisons = []
    for hidden, batch_size in SHAPES_OF_ACTIVATIONS:
        for after in [*with_jax, *without]:
            title = f"step with {' and '.join(after)}, 784-{hidden}-{hidden}-10, minibatches of {batch_size}"
            known = (PYTORCH, JAX) if after in with_jax else (PYTORCH,)
            entries = [OURS, *(entry for entry in bench.peers if entry in known)]
            measured = _time(bench, title, Task((hidden, hidden), batch_size, "sgd", after=after), entries)
            about = {"hidden": hidden, "batch_size": batch_size, "after": list(after)}
            compared = Comparison.of("activations", title, measured, about)
            pytorch, jax = targets.ACTIVATION_AGAINST_PYTORCH, targets.ACTIVATION_AGAINST_JAX
            compared.ask_ratio(compared.figure("pytorch"), pytorch, "PyTorch eager / mlpkit")
            compared.ask_ratio(compared.figure("jax"), jax, "JAX / mlpkit")
            comparisons.append(compared)
    return comparisons


def lenet(bench: Bench) -> list[Comparison]:
    """Compare a training step of LeNet-5 with PyTorch's."""
    comparisons = []
    for batch_size in LENET_BATCH_SIZES:
        title = f"sgd step of LeNet-5, minibatches of {batch_size}"
        task = Task((120, 84), batch_size, "sgd", filters=(6, 16))
        entries = [OURS, *(entry for entry in bench.peers if entry is PYTORCH)]
        compared = Comparison.of("lenet", title, _time(bench, title, task, entries), {"batch_size": batch_size})
        compared.ask_ratio(compared.figure("pytorch"), targets.LENET_AGAINST_PYTORCH, "PyTorch eager / mlpkit")
        comparisons.append(compared)
    return comparisons


def predict(bench: Bench) -> list[Comparison]:
    """Compare ``network.predict`` with peers: NumPy array in, probabilities as a NumPy array out."""
    comparisons = []
    for hidden, targets_by_rows in targets.PREDICTION_AGAINST_ONNXRUNTIME.items():
        network = f"784-{hidden}-{hidden}-10"
        task = Task((hidden, hidden), 1, "sgd")
        measured = _time(bench, f"predictions of {network}", task, [OURS, *bench.predictors], [*targets_by_rows])
        for rows, target in targets_by_rows.items():
            title = f"prediction of {rows:,} image{'s' if rows > 1 else ''}, {network}"
            compared = Comparison.of("predict", title, measured, {"hidden": hidden, "rows": rows}, str(rows))
            compared.ask_ratio(compared.figure(ONNXRUNTIME.name), target, "against onnxruntime")
            comparisons.append(compared)
    return comparisons


def _time(bench: Bench, title: str, task: Task, entries: Sequence[Entry], rows: Sequence[int] = ()) -> Measured:
    """Time steps, or predictions of some rows, of contestants, each on all numbers of threads that are worth a try."""
    say(f"{title} ...")
    work = "predict" if rows else "steps"
    needs: dict[str, Any] = {"rows": rows} if rows else {"warm_up": bench.warm_up, "seconds": bench.seconds}

    def measure(side: Side) -> Mapping[str, float]:
        report: Mapping[str, float] = contest(side.entry, work, task, bench.folder, threads=side.threads, **needs)
        return report

    sides = [Side(entry, threads) for entry in entries for threads in entry.thread_counts(task.flops, bench.cores)]
    return take_turns(sides, bench.rounds, measure)
