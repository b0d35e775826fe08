"""The type of ``layers``: components with names, and a loss at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.component_types import ComponentOfKind
from mlpkit.components.schema.layer_list import LayerListType
from mlpkit.components.schema.layer_names import layer_names
from mlpkit.components.schema.value_type import INVALID, Checking, ValueType, show

if TYPE_CHECKING:
    from mlpkit.components.operation import Operation
    from mlpkit.components.recipe import Recipe
    from mlpkit.components.schema.fault import Path
    from mlpkit.components.schema.value_type import SchemaReferences

STACK_KINDS = ("layer", "loss")


@dataclass(frozen=True)
class StackMember:
    """A layer or the loss.

    Args:
        name: its name, given or by default.
        recipe: builds it.
        path: where it stands in the spec.
    """

    name: str
    recipe: Recipe[Operation]
    path: Path

    def reference(self) -> dict[str, dict[str, Any]]:
        """Return what a spec would say, every default and the name filled in."""
        ((name, parameters),) = self.recipe.reference().items()
        return {name: parameters | {"name": self.name}}


class LayerStackType(ValueType):
    """A list of layers that ends in a loss; each may be given a ``name`` beside its parameters."""

    def describe(self) -> str:
        """Say what is expected."""
        return "a list of layers that ends in a loss"

    def check(self, value: object, path: Path, checking: Checking) -> object:
        """Return the members of the stack."""
        if not isinstance(value, list):
            remedy = "begin each layer with '- '"
            return checking.report(path, f"{show(value)} is not a list", expected=self.describe(), remedy=remedy)
        if not value:
            return checking.report(path, "the list of layers is empty", expected=self.describe(), at_key=True)
        before = len(checking.faults)
        recipes = _layers_and_losses().check_items(value, path, checking)
        members = [
            StackMember(name, recipe, (*path, i))
            for i, (name, recipe) in enumerate(zip(layer_names(value), recipes, strict=True))
            if recipe is not INVALID
        ]
        self._check_losses(members, len(value), checking)
        return INVALID if len(checking.faults) > before else tuple(members)

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        one_loss = {"contains": references.names("loss"), "minContains": 1, "maxContains": 1}
        return _layers_and_losses().json_schema(references) | one_loss

    def _check_losses(self, members: list[StackMember], count: int, checking: Checking) -> None:
        for member in members:
            last = member.path[-1] == count - 1
            is_loss = member.recipe.component.kind == "loss"
            place = _key_path(member)
            if is_loss and not last:
                checking.report(
                    place,
                    f"the loss {member.recipe.name} stands in the middle of the stack",
                    expected="a loss only at the end",
                    remedy="move it to the end, or remove what follows it",
                    at_key=True,
                )
            elif last and not is_loss:
                checking.report(
                    place,
                    f"the stack ends in {member.recipe.name}, which is a layer",
                    expected="a loss at the end",
                    remedy="add a loss after it; mlpkit plugins lists those that are installed",
                    at_key=True,
                )


def _key_path(member: StackMember) -> Path:
    return (*member.path, member.recipe.name)


def _layers_and_losses() -> LayerListType:
    bases = tuple(KINDS[kind].base_class() for kind in STACK_KINDS)
    return LayerListType(ComponentOfKind(STACK_KINDS, bases), fewest=1)
