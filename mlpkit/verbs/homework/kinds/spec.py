"""A spec with one wrong thing: what is handed in names the symptom, the key that causes it, and a better value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import yaml

import mlpkit
from mlpkit.errors import MlpkitError
from mlpkit.verbs.homework.isolation import SubmissionError
from mlpkit.verbs.homework.kinds.task import Task

KEYS = ("symptom", "key", "value")
LONGEST_ANSWER = 2_000
"""Characters of an answer; PyYAML's time grows with the square of nested brackets."""


class SpecTask(Task):
    """A file with three keys."""

    titles: ClassVar = {
        "symptom": "the symptom",
        "key": "the key that is wrong",
        "healthy": "with the better value, the symptom is gone",
        "learned": "with the better value, the network learns",
    }

    @staticmethod
    def parsed(text: str) -> Mapping[str, Any]:
        """Return an answer.

        Raises:
            SubmissionError: it is too long, or isn't a mapping with the three keys.
        """
        if len(text) > LONGEST_ANSWER:
            raise SubmissionError(f"the file has {len(text):,} characters; expected {LONGEST_ANSWER:,} at most")
        try:
            if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
                raise SubmissionError("the file has aliases; write each value itself")  # a few lines hold billions
            answer = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise SubmissionError(f"the file is not YAML: {' '.join(str(error).split())[:200]}") from None
        if not isinstance(answer, dict) or set(answer) != set(KEYS):
            raise SubmissionError(f"expected the keys {', '.join(KEYS)}")
        return answer

    def check_symptom(self, answer: Mapping[str, Any], rng: np.random.Generator) -> None:
        """Compare the symptom."""
        if str(answer["symptom"]).lower().replace(" ", "_") not in self.exercise.answer["symptoms"]:
            raise SubmissionError(f"it isn't {str(answer['symptom'])[:100]!r}: train the spec, and run mlpkit doctor")

    def check_key(self, answer: Mapping[str, Any], rng: np.random.Generator) -> None:
        """Compare the key."""
        if answer["key"] != self.exercise.answer["key"]:
            raise SubmissionError(f"{str(answer['key'])[:100]} is not what is wrong; {self.exercise.answer['hint']}")

    def check_healthy(self, answer: Mapping[str, Any], rng: np.random.Generator) -> None:
        """Train with the better value, and look for symptoms."""
        if names := self.trained(answer)[1]:
            raise SubmissionError(f"with {json.dumps(answer['value'])[:100]}, the training has {', '.join(names)}")

    def check_learned(self, answer: Mapping[str, Any], rng: np.random.Generator) -> None:
        """Train with the better value, and look at the validation loss."""
        loss, most = self.trained(answer)[0], self.exercise.answer["loss"]
        if not loss <= most:
            raise SubmissionError(f"the validation loss is {loss:.3g}, expected at most {most}")

    def trained(self, answer: Mapping[str, Any]) -> tuple[float, list[str]]:
        """Return the best validation loss and the symptoms with an answer's value, if its key is right."""
        self.check_key(answer, np.random.default_rng(0))
        with TemporaryDirectory() as name:
            path = Path(name, "repaired.yaml")
            path.write_text(self.exercise.spec, "utf-8")
            try:
                spec = mlpkit.load_spec(path, overrides={str(answer["key"]): answer["value"]})
                run = mlpkit.run(spec, Path(name, "run"))
                symptoms = [each.title for each in mlpkit.doctor(run).symptoms]
            except MlpkitError as error:
                raise SubmissionError(f"the repaired spec fails: {str(error).splitlines()[0][:200]}") from None
            return min(record["validation_loss"] for record in run.history), symptoms

    def words(self) -> dict[str, str]:
        """Return the spec."""
        return {"spec": self.exercise.spec}
