"""The exporter weights."""

from typing import Annotated

from annotated_types import Ge, Le

from mlpkit import Exporter
from mlpkit.graph import provenance_line


class Weights(Exporter):
    """The weights of a model as text, a line for each array: its name, its shape, its numbers.

    Args:
        digits: how many digits a number has.
    """

    ending = ".weights"

    def __init__(self, digits: Annotated[int, Ge(1), Le(17)] = 9):
        self.digits = digits

    def write(self, model, file):
        """Write a line for each constant that is a number or has several."""
        lines = [f"# {provenance_line(model.provenance)}"]
        for name, array in sorted(model.graph.constants.items()):
            numbers = " ".join(f"{number:.{self.digits}g}" for number in array.ravel())
            lines.append(f"{name} {'x'.join(map(str, array.shape)) or 1} {numbers}")
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
