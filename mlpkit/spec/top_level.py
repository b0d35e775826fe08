"""The keys at the top level of a spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from annotated_types import Ge

from mlpkit.components.dataset import Dataset
from mlpkit.components.recipe import Recipe
from mlpkit.spec.layer_stack import LayerStackType, StackMember
from mlpkit.spec.requirements import RequirementsType
from mlpkit.spec.section import SectionType
from mlpkit.spec.training_section import Training, TrainingType

RESERVED: Final = {
    "sweep": "running many variants of a spec",
}


@dataclass(frozen=True)
class TopLevel:
    """A spec: a network, its data, and how it is trained.

    Args:
        mlpkit: version of the spec format.
        data: where examples come from.
        layers: the stack of layers, which ends in a loss; each takes ``name`` beside its parameters.
        training: how the network is trained.
        name: name of the spec, and of its run folder; by default the file's name.
        seed: what all random numbers are keyed by.
        dtype: type of parameters and activations.
        requires: distributions that must be installed, with the versions that will do.
        vars: values to be used elsewhere as $name.
        extends: another spec to begin from, relative to this file.
    """

    mlpkit: Literal[1]
    data: Recipe[Dataset]
    layers: Annotated[tuple[StackMember, ...], LayerStackType()]
    training: Annotated[Training, TrainingType()]
    name: str | None = None
    seed: Annotated[int, Ge(0)] = 0
    dtype: Literal["float32", "float64"] = "float32"
    requires: Annotated[dict[str, str] | None, RequirementsType()] = None
    vars: dict[str, Any] | None = None
    extends: str | None = None


TOP_LEVEL: Final = SectionType("the spec", TopLevel, RESERVED)
