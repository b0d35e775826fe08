"""Training the spec that ``mlpkit run`` is given, with one or several seeds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from mlpkit.cli.around_training import run_folder
from mlpkit.cli.interrupt import Interrupts
from mlpkit.cli.options import given_spec
from mlpkit.cli.ranks import require_one_rank
from mlpkit.errors import UsageError
from mlpkit.jobs.train import train_spec
from mlpkit.specfile.sections import MOST_SEEDS
from mlpkit.specfile.spec import Spec
from mlpkit.terminal.output import message, print_warnings
from mlpkit.training.ranks import Ranks
from mlpkit.verbs.run.training import TrainingOptions, TrainingResult, train

SECONDS_WORTH_SAVING: Final = 10
"""Of a training; a longer one that isn't watched at a terminal names at its end what could be faster."""


def run_one(
    path: str, overrides: Sequence[str], out: Path | None, wanted: TrainingOptions, ranks: Ranks, interrupts: Interrupts
) -> tuple[TrainingResult, list[Path]]:
    """Train a spec with overrides in a folder, by default one in ``runs``; return how that ended, and the folder."""
    spec = given_spec(path, overrides, **wanted.plugin_options)
    print_warnings(spec.warnings)
    several = len(spec.seeds) > 1 or spec.trains_ensemble
    require_one_rank(ranks, several)
    with noting_slow_components([spec], wanted), run_folder(spec, out, interrupts) as folder:
        if several:
            from mlpkit.verbs.run.group_runs import train_runs  # noqa: PLC0415 - most specs train one network

            found = train_runs(spec, folder, wanted, interrupts)
        else:
            job = partial(train_spec, spec.with_seed(spec.seeds[0]), folder, ranks=ranks)
            found = train(job, spec.name, folder, spec.document.text, wanted, interrupts)
    return found, [folder]


def override_of(seeds: str) -> str:
    """Return the override that ``--seeds 5`` or ``--seeds 3,5,8`` stands for, or raise ``UsageError``."""
    numbers = [number.strip() for number in seeds.split(",")]
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise UsageError(
            f"--seeds {seeds}: expected a number of seeds, such as --seeds 5, or a list, such as --seeds 3,5,8"
        )
    values = [str(int(number)) for number in numbers]  # a spec takes no 05
    if len(values) == 1 and not 1 <= int(values[0]) <= MOST_SEEDS:
        raise UsageError(f"--seeds {seeds}: expected from 1 to {MOST_SEEDS:,} seeds, or a list, such as --seeds 3,5,8")
    twice = [value for i, value in enumerate(values) if value in values[:i]]
    if twice:
        raise UsageError(f"--seeds {seeds}: the seed {twice[0]} is given twice; expected different seeds")
    return f"seeds={values[0]}" if len(values) == 1 else f"seeds=[{', '.join(values)}]"


@contextmanager
def noting_slow_components(specs: Sequence[Spec], wanted: TrainingOptions) -> Iterator[None]:
    """Name what could compute faster: on a terminal before the training in the block, elsewhere after a long one."""
    waited_for, began = sys.stderr is not None and sys.stderr.isatty(), time.monotonic()
    if waited_for and not wanted.quiet:
        _note_slow_components(specs)
    yield
    if not waited_for and not wanted.quiet and time.monotonic() - began > SECONDS_WORTH_SAVING:
        _note_slow_components(specs)


def _note_slow_components(specs: Sequence[Spec]) -> None:
    """Name the components that could compute faster, and what to do for it."""
    found: dict[str, dict[str, None]] = {}
    for spec in specs:
        for reason, names in spec.registry.slow_because().items():
            found.setdefault(reason, {}).update(dict.fromkeys(names))
    for reason, all_names in found.items():
        message(f"note: {', '.join(all_names)} could compute faster: {reason}")
