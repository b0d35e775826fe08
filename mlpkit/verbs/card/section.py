"""The section ``about`` of a spec: what only a person knows of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mlpkit.components.schema.signature import Section, SectionType
from mlpkit.specfile.sections import GuestSection


@dataclass(frozen=True)
class AboutSection(GuestSection):
    """What only a person knows of a model; texts may be Markdown.

    Args:
        description: what the model is, in a sentence or two.
        intended_use: who may use it, for what.
        out_of_scope: what it must not be used for.
        risks: whom a wrong prediction may harm, and what is done about that.
        authors: who made it.
        contact: whom to ask.
        license: its licence, such as mit or apache-2.0.
        data_source: where the data comes from, and how it was collected.
        data_license: the licence of the data.
        datasets: the data sets' names on the Hugging Face hub, if they are there, such as ylecun/mnist.
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


QUESTIONS: Final = {
    "intended_use": "Who may use it, for what?",
    "out_of_scope": "What must it not be used for?",
    "risks": "Whom may a wrong prediction harm, and what is done about that?",
    "authors": "Who made it?",
    "contact": "Whom can one ask?",
    "license": "Under which licence may it be used?",
    "data_source": "Where does the data come from, and how was it collected?",
    "data_license": "Under which licence is the data?",
}
"""What a card asks a person for, as long as ``about`` has no answer."""


@dataclass(frozen=True)
class AboutType(SectionType):
    """The section."""

    owner: type[Section] = AboutSection
