"""``mlpkit doctor``: diagnose a training, and suggest what to try."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpkit.cli import options
from mlpkit.cli.exit_codes import WORK_FAILED
from mlpkit.components.schema.wording import counted
from mlpkit.terminal.formatting import line_length, paragraph
from mlpkit.terminal.output import document, result, styled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.verbs.doctor.doctor import Diagnosis


@options.verb("doctor")
@options.run_argument
@options.json_option
def command(directory: Path, as_json: bool) -> None:
    """Diagnose a training, and suggest what to try.

    RUN is a run folder; the run may be unfinished. The exit code is 0 if it is healthy, and 1 if there are symptoms,
    such as dead or saturated units, gradients that vanish or explode, a loss that stays at chance, or a learning rate
    that is too high or too low.
    """
    from mlpkit.verbs.doctor.doctor import doctor  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    found = doctor(directory)
    if as_json:
        document(found.to_plain())
    else:
        result("\n".join(_lines(found)))
    if not found.healthy:
        raise click.exceptions.Exit(WORK_FAILED)


def _lines(found: Diagnosis) -> Iterator[str]:
    width = line_length()
    for symptom in found.symptoms:
        when = f"noticed after step {symptom.iteration:,}" if symptom.iteration else "noticed before the first step"
        where = f" in {symptom.layer}" if symptom.layer else ""
        yield styled(symptom.name.replace("_", " "), "yellow", bold=True) + where
        yield from paragraph(f"{symptom.finding}; {when}", indent="  ", width=width)
        for position, advice in enumerate(symptom.advice):
            yield from paragraph(f"{'try' if position == 0 else 'or '} {advice}", indent="  ", width=width)
        yield ""
    verdict = "healthy" if found.healthy else counted(len(found.symptoms), "symptom")
    yield from paragraph(f"{styled(verdict, bold=True)}: {_basis(found)}", width=width)


def _basis(found: Diagnosis) -> str:
    """Return what the diagnosis is based on."""
    probes = counted(len(found.probes), "probe")
    return (
        f"{probes} of {counted(found.layers, 'layer')} with {counted(found.rows, 'training row')}, the last after "
        f"step {found.probes[-1]:,}; {counted(found.evaluations, 'evaluation')}"
    )
