"""Pages that a reader follows step by step: files to save, and commands to run, with what they print.

<!-- file: my_layers.py -->                  a file to save
<!-- file: my_layers.py: return dy -->       what to write there in place of this text
<!-- run -->                                 a console block: commands after ``$``, each followed by what it prints
<!-- run: exit code 1 -->                    the same, whose last command ends with this exit code
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STEP = re.compile(
    r"^<!-- (?P<role>run|file)(?:: (?P<detail>.+?))? -->\n```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Step:
    """A step of a page.

    Args:
        role: ``run`` or ``file``.
        detail: what follows it in the comment.
        text: the block below.
    """

    role: str
    detail: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command of a page, and what it prints, if the page says."""

    line: str
    printed: str


def steps_of(page: Path) -> list[Step]:
    """Return the steps of a page, in their order."""
    found = STEP.finditer(page.read_text("utf-8"))
    return [Step(step["role"], step["detail"] or "", step["text"]) for step in found]


def commands_in(console: str) -> list[Command]:
    """Return the commands of a console block."""
    parts = re.split(r"^\$ (.+)\n", console, flags=re.M)
    return [Command(line, printed) for line, printed in zip(parts[1::2], parts[2::2], strict=True)]


def commands_run(steps: list[Step]) -> list[str]:
    """Return the commands of all steps."""
    return [command.line for step in steps if step.role == "run" for command in commands_in(step.text)]


def follow(steps: list[Step], environment: Callable[..., str], folder: Path) -> None:
    """Do in a folder what the steps say, and make sure that the commands print what they show."""
    for step in steps:
        if step.role == "run":
            _run(step, environment, folder)
        else:
            _save(step, folder)


def _run(step: Step, environment: Callable[..., str], folder: Path) -> None:
    commands = commands_in(step.text)
    expected = int(re.sub(r"\D", "", step.detail) or 0)
    for command in commands:
        exit_code = expected if command is commands[-1] else 0
        expect_printed(command.printed, environment(command.line, cwd=folder, exit_code=exit_code))


def _save(step: Step, folder: Path) -> None:
    name, _, replaced = step.detail.partition(": ")
    text = step.text
    if replaced:
        whole = (folder / name).read_text("utf-8")
        assert whole.count(replaced) == 1, replaced
        text = whole.replace(replaced, text.strip())
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def expect_printed(shown: str, printed: str) -> None:
    """Make sure that a command printed what a page shows, but for numbers and the note of a machine without a compiler.

    A line ``...`` stands for lines left out, ``...`` at the end of a line for the rest of it. If a page shows nothing,
    anything will do.
    """
    rest = _without_numbers(re.sub(r"^note: .* could compute faster: no C compiler .*\n", "", printed, flags=re.M))
    parts = [_without_numbers(part) for part in re.split(r"^\.\.\.\n", shown, flags=re.M)] if shown else []
    for i, lines in enumerate(parts):
        starts = range(len(rest) - len(lines) + 1) if i else range(1)
        begins = [start for start in starts if _are(rest[start:], lines)]
        assert begins, f"{shown}\nis not what was printed:\n{printed}"
        rest = rest[begins[0] + len(lines) :]
    assert not rest or not shown or not parts[-1], f"{shown}\nlacks the end of what was printed:\n{printed}"


def _are(found: list[list[str]], shown: list[list[str]]) -> bool:
    """Tell whether the first lines found are those shown."""
    return len(found) >= len(shown) and all(_is(*lines) for lines in zip(found, shown, strict=False))


def _is(found: list[str], shown: list[str]) -> bool:
    return found[: len(shown) - 1] == shown[:-1] if shown[-1] == "..." else found == shown


def _without_numbers(text: str) -> list[list[str]]:
    """Return the words of each line that has any, with # for every number and checksum, and without histograms."""
    text = re.sub("[\N{LOWER ONE EIGHTH BLOCK}-\N{FULL BLOCK}]+", "", re.sub(r"(?<![\w.])[0-9a-f]{16}\b", "#", text))
    words = (re.sub(r"(?<![\w.])-?\d[\d.,]*(e[-+]?\d+)?", "#", line).split() for line in text.splitlines())
    return [line for line in words if line]
