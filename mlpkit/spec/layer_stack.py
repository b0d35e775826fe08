"""The type of ``layers``: components with names, and a loss at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.component_types import ComponentOfKind
from mlpkit.components.schema.fault import Fault
from mlpkit.components.schema.value_type import INVALID, Checking, ValueType, show
from mlpkit.spec.layer_names import layer_names

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
        one_of = ComponentOfKind(STACK_KINDS, tuple(KINDS[kind].base_class() for kind in STACK_KINDS))
        before = len(checking.faults)
        names = layer_names(value)
        members = []
        for i, (item, name) in enumerate(zip(value, names, strict=True)):
            self._check_name(item, (*path, i), name in names[:i], checking)
            recipe = one_of.check(_without_name(item), (*path, i), checking)
            if recipe is not INVALID:
                members.append(StackMember(name, recipe, (*path, i)))  # type: ignore[arg-type]
        self._check_losses(members, len(value), checking)
        return INVALID if len(checking.faults) > before else tuple(members)

    def plain(self, checked: Any) -> Any:
        """Write every member."""
        return [member.reference() for member in checked]

    def json_schema(self, references: SchemaReferences) -> dict[str, Any]:
        """Return the type as JSON Schema."""
        return {"type": "array", "minItems": 1, "items": references(STACK_KINDS)}

    def _check_name(self, item: object, path: Path, taken: bool, checking: Checking) -> None:
        parameters = _parameters(item)
        if parameters is None or "name" not in parameters:
            if taken:
                checking.report(path, "its default name is taken by an earlier layer", remedy="give it a name")
            return
        place = (*path, _component(item), "name")
        name = parameters["name"]
        if not isinstance(name, str) or not name or "." in name:
            checking.report(place, f"{show(name)} can't be a layer's name", expected="a string without dots")
        elif taken:
            checking.report(place, f"the name '{name}' is taken by an earlier layer", expected="names that differ")

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
                checking.faults.append(
                    Fault(
                        place,
                        f"the stack ends in {member.recipe.name}, which is a layer",
                        expected="a loss at the end",
                        remedy="add a loss after it; mlpkit plugins lists those that are installed",
                        at_key=True,
                    )
                )


def _key_path(member: StackMember) -> Path:
    return (*member.path, member.recipe.name)


def _parameters(item: object) -> dict[str, Any] | None:
    if isinstance(item, dict) and len(item) == 1:
        (parameters,) = item.values()
        return parameters if isinstance(parameters, dict) else None
    return None


def _without_name(item: object) -> object:
    parameters = _parameters(item)
    if parameters is None or "name" not in parameters:
        return item
    return {_component(item): {key: value for key, value in parameters.items() if key != "name"}}


def _component(item: object) -> Any:
    return next(iter(item)) if isinstance(item, dict) else item
