"""Methods: each can be called as mlpkit calls it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.plain_call import method_signature, plain_call
from mlpkit.testing.suite.check import checks_component
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlpkit.testing.suite.subject import Subject


@checks_component(*KINDS)
def methods_take_what_they_are_given(subject: Subject) -> None:
    """Does every method take the arguments that methods of its name are called with?

    One that lacks ``self``, or asks for more, fails where it is first called, in the middle of the work.
    """
    base = next(cls for cls in subject.component.__mro__ if cls.__module__.startswith("mlpkit."))
    for name in _public_methods(base):
        own, expected = (inspect.getattr_static(cls, name) for cls in (subject.component, base))
        if own is expected:
            continue
        if isinstance(expected, classmethod) and not isinstance(own, classmethod):
            raise Nonconformity(f"{name} is no class method", expected="one", remedy="put @classmethod above it")
        try:
            _expect_call(method_signature(own), method_signature(expected))
        except TypeError as error:
            raise Nonconformity(
                f"{plain_call(name, own)} can't be called as it will be: {error}", expected=plain_call(name, expected)
            ) from error


def _public_methods(base: type) -> Iterator[str]:
    for name in dir(base):
        is_method = isinstance(inspect.getattr_static(base, name), classmethod) or inspect.isfunction(
            getattr(base, name)
        )
        if is_method and (name == "__call__" or not name.startswith("_")):
            yield name


def _expect_call(own: inspect.Signature, expected: inspect.Signature) -> None:
    """Bind a call with all arguments of the one signature to the other.

    Raises:
        TypeError: that can't be.
    """
    parameters = expected.parameters.values()
    by_name = {parameter.name: None for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY}
    own.bind(*[None] * (len(parameters) - len(by_name)), **by_name)
