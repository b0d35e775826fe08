"""A spec whose data is open: its network, its trainer, and what its results depend on."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from mlpkit.components.dataset import Split
from mlpkit.jobs.build import build_for
from mlpkit.jobs.prove import SpecProof
from mlpkit.jobs.run_inputs import CONTINUES, INITIALIZED_FROM, flattened, lock_of
from mlpkit.jobs.spec_data import open_data
from mlpkit.network.sequential import Sequential
from mlpkit.specfile.sections import Training
from mlpkit.training.loop import Trainer
from mlpkit.training.minibatches import Examples
from mlpkit.training.ranks import ONE_RANK, Ranks
from mlpkit.training.workers import Plan, blas_threads, choose_plan, useful_workers


def plan_of(proved: SpecProof, ranks: Ranks = ONE_RANK, cores: int | None = None) -> Plan:
    """Return how a step of a spec is computed: as in ``resolved.yaml``, or with as many threads as the step keeps busy.

    A network of an ensemble has one thread: the cores train different networks. Arguments as for ``open_training``.
    """
    training = proved.spec.training
    work = proved.proof.flops * training.batch_size if proved.spec.ensemble is None else 0
    cores = ranks.cores or cores
    return choose_plan(work, slices=training.slices, threads=training.threads, ranks=ranks.size, cores=cores)


def only_steps(section: Training, **changes: Any) -> Training:
    """Return how to train without callbacks, checkpoints and evaluations, and with some changes."""
    return replace(
        section,
        callbacks=(),
        early_stopping=None,
        best_weights=None,
        moving_average=None,
        checkpoint=None,
        evaluate_every=sys.maxsize,
        **changes,
    )


@dataclass
class OpenTraining:
    """A spec whose data is open; its layers become the network's.

    ``own_slices`` are the slices of a minibatch that this process computes, on ``cores``, or all. ``origin`` is the
    lock of a run that has begun: it has the model whose weights it took, and the run that it continues.
    """

    proved: SpecProof
    plan: Plan
    splits: Mapping[str, Split]
    ranks: Ranks
    cores: int | None
    own_slices: range
    origin: Mapping[str, Any]
    _resolved: str | None

    @cached_property
    def resolved(self) -> str:
        """The spec with every default filled in, as the run was begun with it."""
        return self._resolved or self.proved.spec.resolved_text(slices=self.plan.slices, threads=self.plan.threads)

    def values(self) -> dict[str, Any]:
        """Return the values of the resolved spec by dotted key."""
        return flattened(self.proved.spec.resolved(slices=self.plan.slices, threads=self.plan.threads))

    @cached_property
    def lock(self) -> dict[str, Any]:
        """What the result depends on, as in lock.json."""
        first = self.proved.first_weights
        initialized_from = first.checksum if first else self.origin.get(INITIALIZED_FROM)
        continues = self.origin.get(CONTINUES)
        return lock_of(self.proved.spec, self.resolved, self.proved.dataset, initialized_from, continues)

    def network(self, *, begun: bool = False) -> Sequential:
        """Build the network; if training has begun, a snapshot has its parameters, and no initializer sees examples."""
        return build_for(
            self.proved.spec,
            self.proved.proof,
            slices=self.plan.slices,
            own_slices=self.own_slices,
            first_weights=self.proved.first_weights,
            examples=None if begun else (self.splits["train"], self.proved.description),
        )

    @cached_property
    def examples(self) -> Examples:
        """What the steps learn from: the training split, or a mixture of its targets with a teacher's predictions."""
        split, teacher = self.splits["train"], self.proved.teacher
        return Examples(split, self.proved.description) if teacher is None else teacher(split)

    def trainer(self, network: Sequential, section: Training | None = None, **keywords: Any) -> Trainer:
        """Return what trains a network on the data, by default as in the spec; other keywords as for ``Trainer``."""
        proved = self.proved
        return Trainer(
            network,
            self.splits,
            proved.description,
            section or proved.spec.training,
            examples=self.examples,
            frozen=proved.frozen,
            factors=proved.factors,
            workers=None if self.cores is None else useful_workers(network, self.cores),
            ranks=self.ranks,
            **keywords,
        )

    def bare_trainer(self, network: Sequential, **keywords: Any) -> Trainer:
        """Return a trainer without a clock, callbacks, checkpoints and evaluations: the steps are the same."""
        section = self.proved.spec.training
        steps = sys.maxsize if section.epochs is None else None
        return self.trainer(network, only_steps(section), steps=steps, **keywords)


@contextmanager
def open_training(
    proved: SpecProof,
    *,
    resolved: str | None = None,
    origin: Mapping[str, Any] = MappingProxyType({}),
    splits: Mapping[str, Split] | None = None,
    ranks: Ranks = ONE_RANK,
    cores: int | None = None,
) -> Iterator[OpenTraining]:
    """Open the data of a spec, unless its splits are open; matrix products in the block run on its plan's threads.

    A run that has begun hands over the text of its resolved spec, and its lock as ``origin``. ``cores`` are by default
    all. Slices that can't be shared out to the ranks are a ``UsageError``.
    """
    plan = plan_of(proved, ranks, cores)
    own_slices = ranks.divide(plan.slices, fast=proved.spec.training.reduce == "fast")
    with blas_threads(plan.threads):
        training = OpenTraining(proved, plan, splits or {}, ranks, cores, own_slices, origin, resolved)
        if ranks.size > 1:
            ranks.start_task("train", training.resolved)  # other ranks read the data meanwhile: a table takes a while
        if splits is None:
            training.splits = open_data(proved.spec, proved.dataset)
        yield training
