"""``mlpkit check-plugin``: ask a plugin's components what their kinds promise."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mlpkit.cli import completion, options
from mlpkit.cli.exit_codes import WORK_FAILED
from mlpkit.terminal.formatting import line_length, paragraph
from mlpkit.terminal.output import document, result, styled

if TYPE_CHECKING:
    from mlpkit.testing.check_plugin import CheckedComponent


@options.verb("check-plugin")
@click.argument("name", metavar="NAME", shell_complete=completion.components)
@options.plugin_files_option
@options.json_option
def command(name: str, plugins: tuple[str, ...], as_json: bool) -> None:
    """Test a plugin's components against what their kinds promise.

    NAME is a plugin's namespace, a component, or a plugin's file: acme, acme.Swish, my_layers.py. Prints a line for
    each component, with the checks that failed and why. The exit code is 1 if any failed.
    """
    from mlpkit.testing.check_plugin import check_plugin  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    passed = True
    for checked in check_plugin(name, plugins):
        passed &= checked.passed
        if as_json:
            document(asdict(checked))
        else:
            result("\n".join(_lines(checked)))
    if not passed:
        raise click.exceptions.Exit(WORK_FAILED)


def _lines(checked: CheckedComponent) -> list[str]:
    verdict = styled("passed", "green") if checked.passed else styled("failed", "red")
    count = f"{len(checked.failed)} of {checked.checks} checks" if checked.failed else f"{checked.checks} checks"
    left_out = f"; {checked.left_out} more skipped, since they depend on what failed" if checked.left_out else ""
    lines = [f"{styled(checked.name, bold=True)} ({checked.kind}): {verdict}, {count}{left_out}"]
    for failed in checked.failed:
        if not failed.may_follow:
            lines.append(f"  {failed.check}")
            lines += paragraph(failed.reason, indent="    ", width=line_length())
    follow = [failed.check for failed in checked.failed if failed.may_follow]
    if follow:
        text = f"may follow from {checked.failed[0].check}, so fix that first: {', '.join(follow)}"
        lines += paragraph(text, indent="  ", width=line_length())
    return lines
