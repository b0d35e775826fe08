"""``mlpkit check``: check specs before anything is trained."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from mlpkit.cli import completion, options
from mlpkit.cli.exit_codes import print_error, problems_document
from mlpkit.errors import MlpkitError, UsageError
from mlpkit.terminal.formatting import blocks, columns, line_length, paragraph, shape
from mlpkit.terminal.output import document, message, print_warnings, result, styled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlpkit.errors import Diagnostic
    from mlpkit.jobs.check import CheckedMember, CheckedSpec
    from mlpkit.registry.discovery import PluginOptions


@options.verb("check")
@click.argument("paths", metavar="SPEC...", nargs=-1, required=True, shell_complete=completion.specs)
@options.overrides_option
@options.plugins_option
@options.json_option
@click.option("--fix", is_flag=True, help="First correct what is certain, such as a misspelt key, in the specs' files.")
@click.option("--yes", is_flag=True, help="With --fix, write the changes without asking.")
def command(
    paths: tuple[str, ...],
    overrides: tuple[str, ...],
    plugin_options: PluginOptions,
    as_json: bool,
    fix: bool,
    yes: bool,
) -> None:
    """Check specs, and show the shapes of their layers.

    Checks the syntax, then every key, component and value, then the shapes of the layers. Reads only the part of the
    data that the shapes depend on: headers of files, if there are any. Checks all specs; the exit code is 2 if one of
    them is wrong. With --json, one line per spec.
    """
    from mlpkit.jobs.check import check  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    if yes and not fix:
        raise UsageError("--yes goes with --fix")
    if fix and overrides:
        raise UsageError("--fix and --set can't both be given: a fix changes the spec's file")
    fixed = _fix(paths, yes, plugin_options) if fix else {}
    exit_code = 0
    for path in paths:
        warnings: Sequence[Diagnostic] = ()
        try:
            spec = options.given_spec(path, overrides, **plugin_options)
            warnings = spec.warnings
            print_warnings(warnings)
            checked = check(spec)
            print_warnings(checked.data_warnings)
        except UsageError:  # of the command, and not of this spec
            raise
        except MlpkitError as error:
            print_error(error)
            exit_code = max(exit_code, error.exit_code)
            if as_json:
                document({"spec": path, "ok": False, **problems_document(error, warnings), **_about_fixes(path, fixed)})
        else:
            if as_json:
                document({"spec": path, "ok": True, **checked.to_plain(), **_about_fixes(path, fixed)})
            else:
                _print(path, checked)
    if exit_code:
        raise click.exceptions.Exit(exit_code)


def _fix(paths: Sequence[str], yes: bool, plugin_options: PluginOptions) -> Mapping[str, Sequence[Diagnostic]]:
    """Show what can be fixed, and write it if the user agrees; return what is fixed, by the path of its spec."""
    from mlpkit.verbs.run.fix import fix_specs  # noqa: PLC0415 - loads NumPy, which --help doesn't need

    found = fix_specs(paths, **plugin_options)
    for file in found.files:
        message("\n".join(styled(line, DIFF_COLOURS.get(line[:1])) for line in file.diff()) + "\n")
    on_terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    if not found.files or (not yes and on_terminal and not click.confirm("Write these changes?", err=True)):
        return dict.fromkeys(paths, ())
    if not yes and not on_terminal:
        message("nothing is written; add --yes to write these changes\n")
        return dict.fromkeys(paths, ())
    for file in found.files:
        file.write()
    return found.problems


DIFF_COLOURS: Final = {"+": "green", "-": "red", "@": "cyan"}


def _about_fixes(path: str, fixed: Mapping[str, Sequence[Diagnostic]]) -> dict[str, Any]:
    """Return the problems of a spec that are fixed, as plain data; nothing without ``--fix``."""
    return {"fixed": [problem.to_plain() for problem in fixed[path]]} if path in fixed else {}


def _print(path: str, checked: CheckedSpec) -> None:
    description = checked.description
    sizes = ", ".join(f"{size:,} {split}" for split, size in description.sizes.items())
    result(f"{path}: {styled('OK', 'green', bold=True)}")
    width = line_length()
    for line in (
        f"{checked.spec.data.name}: {sizes}",
        f"input {shape(description.input_shape)}, target {description.target}",
        *checked.about_memory(),
        *_about_weights(checked),
        *filter(None, (section.summary() for _, section in checked.spec.top_level.guests())),
    ):
        result("\n".join(paragraph(line, indent="  ", width=width)))
    rows = [("layer", "type", "output", "parameters")]
    for member in checked.members[:-1]:
        rows += _layer_rows(member)
    loss = checked.members[-1]
    rows.append((loss.name, loss.type, "loss", f"{loss.parameters:,}"))
    rows.append(("total", "", "", f"{checked.parameters:,}"))
    result()
    result("\n".join(_fitting_table(rows, width)))


def _about_weights(checked: CheckedSpec) -> Iterator[str]:
    """Return which layers start with another run's weights, and which are frozen."""
    section = checked.spec.top_level.initialize_from
    if section is not None:
        yield f"initial weights from {section.run}: {', '.join(checked.initialized)}"
    if checked.frozen:
        yield f"frozen: {', '.join(checked.frozen)}"


def _fitting_table(rows: Sequence[tuple[str, str, str, str]], width: int | None) -> list[str]:
    """Return the lines of the table of layers; without the types, which most names tell, if it is too wide."""
    lines = columns(rows, right=(2, 3), indent="  ")
    if width is None or all(len(line) <= width for line in lines):
        return lines
    return blocks([(name, *figures) for name, _, *figures in rows], right=(1, 2), indent="  ", width=width)


def _layer_rows(layer: CheckedMember, depth: int = 0) -> Iterator[tuple[str, str, str, str]]:
    """Return a row for a layer, followed by indented rows for the layers inside it."""
    yield "  " * depth + layer.name, layer.type, shape(layer.output_shape), f"{layer.parameters:,}"
    for inner in layer.inside:
        yield from _layer_rows(inner, depth + 1)
