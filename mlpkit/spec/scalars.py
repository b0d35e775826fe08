"""What a plain scalar stands for.

Source: YAML 1.2.2, section 10.3, "Core Schema": ``1e-3`` is a number, and ``no``, ``1_000``, ``1:30`` and
``2024-01-01`` are strings.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from mlpkit.spec.limits import MOST_DIGITS

if TYPE_CHECKING:
    from mlpkit.spec.nodes import Scalar

WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
DECIMAL: Final = re.compile(r"[-+]?[0-9]+")
OCTAL: Final = re.compile(r"0o[0-7]+")
HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+")
FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def resolve_plain(text: str) -> Scalar:
    """Return the value of a scalar written without quotes.

    Raises:
        ValueError: it is a number, but not finite or with too many digits.
    """
    if text in WORDS:
        return WORDS[text]
    for pattern, base in ((DECIMAL, 10), (OCTAL, 8), (HEXADECIMAL, 16)):
        if pattern.fullmatch(text):
            return _integer(text, base)
    if NOT_FINITE.fullmatch(text):
        msg = f"{text} is not finite"
        raise ValueError(msg)
    if FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            msg = f"{_shortened(text)} is not finite"
            raise ValueError(msg)
        return number
    return text


def _integer(text: str, base: int) -> int:
    if len(text) > MOST_DIGITS:
        msg = f"an integer of {len(text)} characters is too long; the longest has {MOST_DIGITS}"
        raise ValueError(msg)
    return int(text, base)


def _shortened(text: str) -> str:
    longest = 40
    return text if len(text) <= longest else text[:longest] + "..."
