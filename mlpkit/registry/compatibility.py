"""Whether a distribution can be used with this version of mlpkit, by what its own metadata says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mlpkit.version import VERSION

if TYPE_CHECKING:
    from mlpkit.registry.distributions import InstalledDistribution

ABOUT_MLPKIT: Final = re.compile(r"\s*mlpkit(?![\w.-])", re.IGNORECASE)
"""The beginning of a requirement of mlpkit, and not of ``mlpkit-extras``."""


def incompatibility(distribution: InstalledDistribution) -> str:
    """Return why a distribution can't be used with this version of mlpkit; empty if it can."""
    about = [requirement for requirement in distribution.requirements if ABOUT_MLPKIT.match(requirement)]
    if not about:
        return ""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - few plugins get here

    for text in about:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            return f"its metadata requires {text!r}, which is no requirement"
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and not requirement.specifier.contains(VERSION, prereleases=True):
            return f"it requires mlpkit{requirement.specifier}, and this is mlpkit {VERSION}"
    return ""
