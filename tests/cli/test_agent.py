"""A script that plays an agent: with nothing but ``--json`` it repairs a spec, and improves on mlpkit's defaults."""

from __future__ import annotations

import json
import random
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

MOST_ROUNDS = 6
"""In which a spec is repaired, and in which a model is improved."""


@dataclass
class Agent:
    """Knows the form of what commands print, and nothing of mlpkit's keys and components.

    Args:
        folder: where it works.
        program: the command that starts mlpkit.
        environment: of that command.
    """

    folder: Path
    program: list[str]
    environment: dict[str, str]
    runs: int = field(default=0, init=False)

    def call(self, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        """Run a command with ``--json``, and return its exit code and what it prints."""
        command = [*self.program, *arguments, "--json"]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def repair(self, spec: str) -> int:
        """Follow the fix, or else the help, of each problem until the spec is right; return in how many rounds."""
        for repairs in range(MOST_ROUNDS):
            code, (found,) = self.call("check", spec)
            if code == 0:
                return repairs
            assert found["problems"]
            path = self.folder / spec
            lines = path.read_text().split("\n")
            for problem in sorted(found["problems"], key=lambda each: (each["line"], each["column"]), reverse=True):
                self._follow(problem, lines)
            path.write_text("\n".join(lines))
        raise AssertionError(f"{found['problems']} are left")

    def _follow(self, problem: dict[str, Any], lines: list[str]) -> None:
        row, begin = problem["line"] - 1, problem["column"] - 1
        line, end, help_text = lines[row], problem["end_column"] - 1, problem["help"] or ""
        assert problem["end_line"] == problem["line"]
        old, new = line[begin:end], ""
        if problem["fix"] is not None:
            old, new = problem["fix"]["old"], problem["fix"]["new"]
            assert line[begin:].startswith(old)
        elif meant := re.fullmatch(r"did you mean '(.+)'\?", help_text):
            new = meant[1]
        elif written := re.fullmatch(r"write (\S+)", help_text):
            new = written[1]
        elif help_text == "write it without quotes":
            new = old.strip("'\"")
        elif key := re.match(r"set (\w+: \w+)", help_text):
            lines.insert(row + 1, f"{re.match(' *', line)[0]}{key[1]}")
            return
        else:
            raise AssertionError(f"no idea how to follow {problem}")
        lines[row] = line[:begin] + new + line[begin + len(old) :]

    def train(self, spec: str, changes: tuple[str, ...]) -> tuple[float, str]:
        """Train a spec with some ``--set``, and return the loss of the validation data, and the run folder."""
        folder = f"runs/{self.runs}"
        self.runs += 1
        code, events = self.call("run", spec, "--out", folder, *(word for each in changes for word in ("--set", each)))
        assert (code, events[-1]["event"]) == (0, "done")
        return events[-1]["metrics"]["validation"]["loss"], folder

    def improve(self, spec: str) -> tuple[str, str]:
        """Follow the advice on a training as long as the validation loss falls; return the first folder and the best.

        Each change is tried alone.
        """
        (best, folder), changes, tried = self.train(spec, ()), (), set()
        first = folder
        for _ in range(MOST_ROUNDS):
            better = False
            for change in self._advice(spec, folder, changes):
                if change in tried:
                    continue
                tried.add(change)
                wanted = (*(each for each in changes if each.partition("=")[0] != change.partition("=")[0]), change)
                loss, place = self.train(spec, wanted)
                if loss < best:
                    best, folder, changes, better = loss, place, wanted, True
                    break
            if not better:
                break
        return first, folder

    def _advice(self, spec: str, folder: str, changes: tuple[str, ...]) -> list[str]:
        """Return the values of ``--set`` that the doctor and the test of learning rates suggest."""
        _, (found,) = self.call("doctor", folder)
        advice = [each for symptom in found["symptoms"] for each in symptom["advice"]]
        code, (rate,) = self.call("tune-rate", spec, *(word for each in changes for word in ("--set", each)))
        suggested = [rate["set"]] if code == 0 else []
        return [*suggested, *(each.removeprefix("--set ").split()[0] for each in advice if each.startswith("--set "))]


def rings() -> str:
    """Return points in a plane, of three classes by their distance from the middle."""
    draw = random.Random(1)
    rows = ["x,y,ring"]
    for _ in range(400):
        x, y = draw.uniform(-1, 1), draw.uniform(-1, 1)
        rows.append(
            f"{x:.3f},{y:.3f},{'inner' if x * x + y * y < 0.3 else 'middle' if x * x + y * y < 0.8 else 'outer'}"
        )
    return "\n".join(rows)


def prices() -> str:
    """Return flats with their rent: a value."""
    draw = random.Random(2)
    rows = ["area,floor,city,rent"]
    for _ in range(400):
        area, floor, city = draw.uniform(20, 120), draw.randrange(9), draw.choice(["Bonn", "Kiel", "Ulm"])
        rent = area * {"Bonn": 14, "Kiel": 11, "Ulm": 9}[city] * (1.2 if floor > 5 else 1) + draw.gauss(0, 40)
        rows.append(f"{area:.1f},{floor},{city},{rent:.0f}")
    return "\n".join(rows)


def loans() -> str:
    """Return loans of which a fifth isn't paid back: two classes."""
    draw = random.Random(3)
    rows = ["amount,income,purpose,paid"]
    for _ in range(400):
        amount, income, purpose = draw.uniform(1, 40), draw.uniform(10, 90), draw.choice(["car", "house", "travel"])
        paid = income - amount * (1.5 if purpose == "travel" else 0.8) + draw.gauss(0, 8) > 0
        rows.append(f"{amount:.1f},{income:.1f},{purpose},{'yes' if paid else 'no'}")
    return "\n".join(rows)


RINGS = """\
mlpkit: 1
data:
  csv: {file: rings.csv, targets: ring}
layer:
  - Afine: {unit: 16}
  - ReLU
  - Affine: {units: auto}
  - SoftmaxWithLos
training:
  optimizer: sgd()
  epoch: 20
  batch_size: "16"
  metrics: [acuracy]
"""

PRICES = """\
mlpkit: 1
data:
  csv:
    file: prices.csv
    target: rent
    categoricals: [city]
layers:
  - Affine: {unit: 16}
  - Relu:
  - Affine: {units: auto}
  - MeanSquaredEror
training:
  optimiser: adm
  epochs: 2e1
  metrics: [r_2]
"""

LOANS = """\
mlpkit: 1
data:
  csv: {file: loans.csv, target: paid, categorical: [purpose], validaton: 0.3}
layers:
  - Afine: {unit: 16}
  - Relu
  - Dropout: {rat: 0.1}
  - Affine: {units: auto}
  - SoftmaxWithLoss
trainning:
  optimizer: {sdg: {momentun: 0}}
  epochs: "20"
  early_stoping: {patience: 5}
"""


@pytest.mark.parametrize(("table", "spec"), [(rings, RINGS), (prices, PRICES), (loans, LOANS)])
def test_from_a_table_and_a_broken_spec_to_a_better_model_than_the_default(table, spec, tmp_path, program, environment):
    name = f"{table.__name__}.yaml"
    (tmp_path / f"{table.__name__}.csv").write_text(table())
    (tmp_path / name).write_text(spec)
    agent = Agent(tmp_path, program, environment)
    assert 1 <= agent.repair(name) < MOST_ROUNDS
    default, best = agent.improve(name)
    results = [agent.call("evaluate", folder, "--split", "test") for folder in (default, best)]
    before, after = (documents[0]["test"]["loss"] for _, documents in results)
    assert after < 0.5 * before
