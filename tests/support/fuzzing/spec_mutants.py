"""Random mutants of specs: of their text, of their lines, and of what they say."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

PIECES = [
    *("\n", " ", "  ", "\t", ":", ": ", "- ", "[", "]", "{", "}", ",", "'", '"', "#", "&a", "*a", "!t", "$", "|", ">"),
    *("?", "%", "@", "\\", "---", "...", "<<: ", "<<", ".inf", ".nan", "1e999", "-1e999", "9" * 120, "0x" + "f" * 90),
    *(
        "\0",
        "\x85",
        "\U0001f600",
        "\r",
        "\ufeff",
        "\ud800",
        "\u2028",
        "extends: ",
        "extends: .",
        "$hidden",
        "${hidden}",
    ),
    *("null", "~", "true", "no", "1_000", "0o7", "1e-3", "''", "!!python/object:os.system ", "{{", "[" * 25, "- " * 25),
    *("vars: {a: $b, b: $a}\n", "name: ../..\n", "seed: -1\n", "[1, 2]: 3\n", "? x\n: y\n", "a" * 3000, " " * 2000),
]
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 10**99, 1.5, 1e308, 5e-324, "", "x", "no", "1", "$a", "$$", "${a}"),
    *([], {}, [[]], [None], {"a": None}, {"": 1}, [[[[[]]]]], {"x": {"y": {"z": 1}}}, "a" * 1000, "\u00e4", "../x"),
    *("Relu", "sgd", "mnist", "SoftmaxWithLoss", {"Affine": {"units": 3}}, {"sgd": {}}, {"constant": {"value": 1}}),
    *({"Repeat": {"times": 10**9, "layer": "Relu"}}, {"Sequence": {"layers": ["Relu"]}}),
    *({"normal": {"std": 0}}, {"acme.Thing": {}}, "numpy.random", ["Relu", "SoftmaxWithLoss"], {"mnist": {}}),
]


def spec_mutants(texts: list[str], chance: random.Random, count: int) -> Iterator[bytes]:
    """Yield mutants of the texts, which are valid specs."""
    changes: list[Callable[[str, random.Random], str]] = [_characters, _lines, _words, _meaning, _meaning]
    for _ in range(count):
        text = chance.choice(texts)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
            text = chance.choice(changes)(text, chance)
        yield text.encode("utf-8", "surrogatepass")[: 2**20 + 1]


def _characters(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text) + 1)
    end = min(len(text), start + chance.choice((0, 0, 1, 2, 10)))
    insertion = chance.choice(["", *PIECES, text[end : end + 20]])
    return text[:start] + insertion + text[end:]


def _lines(text: str, chance: random.Random) -> str:
    lines = text.splitlines() or [""]
    at = chance.randrange(len(lines))
    match chance.randrange(6):
        case 0:
            del lines[at]
        case 1:
            lines.insert(chance.randrange(len(lines) + 1), lines[at])
        case 2:
            lines[at] = " " * chance.randrange(5) + lines[at]
        case 3:
            lines[at] = lines[at].removeprefix(" " * chance.randint(1, 4))
        case 4:
            lines[at : at + 2] = ["".join(lines[at : at + 2])]
        case 5:
            lines[at:at] = [lines[at]] * chance.choice((2, 30, 300))
    return "\n".join(lines) + "\n"


def _words(text: str, chance: random.Random) -> str:
    """Misspell a word, or put another in its place."""
    words = text.split(" ")
    at = chance.randrange(len(words))
    word = words[at]
    if word and chance.randrange(2):
        cut = chance.randrange(len(word))
        words[at] = chance.choice((word[:cut] + word[cut + 1 :], word[:cut] + word[cut] + word[cut:], word.swapcase()))
    else:
        words[at] = chance.choice((*words, *PIECES))
    return " ".join(words)


def _meaning(text: str, chance: random.Random) -> str:
    """Change a key or a value of what the spec says, so that it stays well-formed."""
    try:
        said = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return _characters(text, chance)
    places = list(_places(said))
    if not places:
        return text
    holder, key = chance.choice(places)
    match chance.randrange(5):
        case 0 | 1:
            holder[key] = copy.deepcopy(chance.choice(VALUES))
        case 2 if isinstance(holder, dict):
            holder[chance.choice((str(key)[1:], str(key) + "s", "x", "vars", "extends", "name"))] = holder.pop(key)
        case 3:
            del holder[key]
        case _:
            other, its_key = chance.choice(places)
            holder[key] = copy.deepcopy(other[its_key])
    style = chance.choice((None, True, False))
    return str(yaml.safe_dump(said, sort_keys=False, default_flow_style=style, allow_unicode=True))


def _keys(holder: Any) -> Any:
    return holder if isinstance(holder, dict) else range(len(holder))


def _places(said: Any) -> Iterator[tuple[Any, Any]]:
    """Go through the mappings and lists of what is said, with each key or index in them."""
    if isinstance(said, dict | list):
        for key in list(_keys(said)):
            yield said, key
            yield from _places(said[key])
