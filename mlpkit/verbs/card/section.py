"""The section ``about`` of a spec: what only a person knows of a model."""

from __future__ import annotations

from dataclasses import dataclass

from mlpkit.components.schema.signature import Section, SectionType, parse_docstring
from mlpkit.specfile.sections import GuestSection


@dataclass(frozen=True)
class AboutSection(GuestSection):
    """What only a person knows of a model; texts may be Markdown.

    Args:
        description: what the model is, in a sentence or two.
        intended_use: who may use it, for what.
        out_of_scope: what must it not be used for.
        risks: whom may a wrong prediction harm, and what is done about that.
        authors: who made it.
        contact: whom can one ask.
        license: under which licence may it be used, such as mit or apache-2.0.
        data_source: where does the data come from, and how was it collected.
        data_license: under which licence is the data.
        datasets: names of the data sets on the Hugging Face hub, such as ylecun/mnist.
    """

    title = "about"
    description: str | None = None
    intended_use: str | None = None
    out_of_scope: str | None = None
    risks: str | None = None
    authors: str | None = None
    contact: str | None = None
    license: str | None = None
    data_source: str | None = None
    data_license: str | None = None
    datasets: tuple[str, ...] = ()

    def questions(self) -> dict[str, str]:
        """Return what a card asks a person for: each key without an answer, and the question."""
        asked = parse_docstring(AboutSection.__doc__).parameters
        return {
            key: f"{meaning[0].upper()}{meaning[1:].partition(', such')[0].rstrip('.')}?"
            for key, meaning in asked.items()
            if key not in {"description", "datasets"} and not getattr(self, key)
        }


@dataclass(frozen=True)
class AboutType(SectionType):
    """The section's type."""

    owner: type[Section] = AboutSection
