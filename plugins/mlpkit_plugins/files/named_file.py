"""Finds the files and folders that a spec names, and files and arrays that belong together by their names."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final

from mlpkit import DataError, ParameterError, did_you_mean

SHIPPED: Final = "example:"
"""The prefix of example files that ship with mlpkit."""

EXAMPLES: Final = Path(__file__).parents[1] / "datasets" / "example_files"

MOST_NAMES: Final = 500
"""The most names of a folder that are searched for a similar one."""

SPECS: Final = (".yaml", ".yml")
"""The suffixes of specs, which are never proposed although they often share the name of their data."""


def named_file(parameter: str, name: str) -> Path:
    """Return the path of a file that a parameter names.

    Args:
        parameter: the parameter.
        name: the path, relative to the current folder; ``~`` stands for the user's home, and ``example:`` for the
            folder of the files that ship with mlpkit.

    Raises:
        ParameterError: the file doesn't exist, or it can't be read twice, such as a pipe.
    """
    path = _place(parameter, name)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise _absent(parameter, name, path, "file", error) from error
    endless = os.path.realpath(path).startswith("/proc/")  # some of these never end, though their size is 0
    if endless or not stat.S_ISREG(mode):  # opening a named pipe would block
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise ParameterError(parameter, f"'{name}' is {what}", expected="a file")
    return path


def named_folder(parameter: str, name: str) -> Path:
    """Return the path of a folder that a parameter names, as ``named_file`` does for a file."""
    path = _place(parameter, name)
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as error:
        raise _absent(parameter, name, path, "folder", error) from error
    if not is_folder:
        raise ParameterError(parameter, f"'{name}' is a file", expected="a folder")
    return path


def located(name: str) -> Path:
    """Return the path of a file, which may be an example that ships with mlpkit; it need not exist."""
    return EXAMPLES / name.removeprefix(SHIPPED) if name.startswith(SHIPPED) else Path(name)


def _place(parameter: str, name: str) -> Path:
    try:
        return located(name).expanduser()
    except RuntimeError as error:
        raise ParameterError(parameter, f"'{name}' is not a valid path: {error}") from error


def _absent(parameter: str, name: str, path: Path, what: str, error: OSError | ValueError) -> ParameterError:
    if not isinstance(error, FileNotFoundError):
        reason = getattr(error, "strerror", None) or error
        return ParameterError(parameter, f"can't read the {what} '{name}': {reason}")
    names = [each for each in names_in(path.parent)[:MOST_NAMES] if not each.endswith(SPECS)]
    alike = [each for each in names if did_you_mean(path.stem, [Path(each).stem])]  # suffixes don't count
    similar = [each for each in alike if (path.parent / each).is_dir() == (what == "folder")]
    return ParameterError(parameter, f"there is no {what} '{name}'", remedy=did_you_mean(path.name, similar))


INPUTS: Final = ("x", "inputs", "input", "images", "image", "features", "data")
TARGETS: Final = ("t", "y", "targets", "target", "labels", "label")
TRAINING: Final = ("train", "training")
OTHER_SPLITS: Final = {"validation": ("validation", "valid", "val", "dev"), "test": ("test", "testing", "t10k")}

_BETWEEN_WORDS: Final = re.compile(r"[^a-z0-9]+")
_RANK: Final = re.compile(r"idx\d")


def renamed(name: str, names: Iterable[str], words: Collection[str], others: Sequence[str]) -> str | None:
    """Return the first of ``names`` that equals ``name`` with a word replaced, by the first of ``others``, or None.

    Words are runs of letters and digits; case doesn't matter. The number of dimensions in a name such as
    ``train-images-idx3-ubyte`` is ignored.
    """
    by_words = {_words(candidate): candidate for candidate in names}
    parts = _words(name)
    for place, word in enumerate(parts):
        for other in others if word in words else ():
            if match := by_words.get((*parts[:place], other, *parts[place + 1 :])):
                return match
    return None


def name_for_split(name: str, names: Iterable[str], split: str) -> str | None:
    """Return the name for another split of the training data ``name``, such as ``x_test`` for ``x_train``."""
    names = list(names)
    words, parts = OTHER_SPLITS[split], _words(name)
    if match := renamed(name, names, TRAINING, words):
        return match
    by_words = {_words(candidate): candidate for candidate in names}
    longer = ((*parts[:place], word, *parts[place:]) for word in words for place in range(len(parts) + 1))
    return next((by_words[words] for words in longer if words in by_words), None)


def has_word(name: str, words: Collection[str]) -> bool:
    """Whether a name contains one of some words."""
    return any(word in words for word in _words(name))


def _words(name: str) -> tuple[str, ...]:
    return tuple("idx" if _RANK.fullmatch(word) else word for word in _BETWEEN_WORDS.split(name.lower()))


def targets_beside(path: Path) -> Path | None:
    """Return the file of targets next to a file of inputs, such as ``y.npy`` for ``x.npy``; None if there isn't one."""
    name = renamed(path.name, names_in(path.parent), INPUTS, TARGETS)
    return None if name is None else path.with_name(name)


def find_targets(parameter: str, inputs: str, targets: str | None = None, expected: str = "") -> tuple[str, str]:
    """Return the names of a file of inputs, named by a parameter, and of its file of targets, by default next to it."""
    path = named_file(parameter, inputs)
    if targets is not None:
        named_file("target", targets)
        return inputs, targets
    beside = targets_beside(path)
    if beside is None:
        if parameter == "train":
            message = f"no file of targets was named for {inputs}"
            raise ParameterError("target", message, expected=expected, remedy="write --target FILE")
        remedy = "name the two like x_test.npy and t_test.npy"
        raise ParameterError(parameter, f"there is no file of targets next to {inputs}", remedy=remedy)
    return inputs, _beside(inputs, beside.name)


def pairs_of_splits(inputs: str, targets: str) -> dict[str, tuple[str, str]]:
    """Return the files of inputs and targets of other splits, next to the training files, by split."""
    x, t = named_file("train", inputs), named_file("target", targets)
    pairs = {}
    for split in OTHER_SPLITS:
        other_x, other_t = (
            name_for_split(x.name, names_in(x.parent), split),
            name_for_split(t.name, names_in(t.parent), split),
        )
        if other_x is not None and other_t is not None:
            pairs[split] = (_beside(inputs, other_x), _beside(targets, other_t))
    return pairs


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder; empty if it can't be read."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except OSError:
        return []


def _beside(file: str, name: str) -> str:
    """Return the path of a file in the folder of another one, with that one's spelling of the folder."""
    own = os.path.basename(file).removeprefix(SHIPPED)  # noqa: PTH119 - of a text
    return file.removesuffix(own) + name


def is_idx(name: str) -> bool:
    """Whether a file has the name of an IDX file."""
    return "idx" in name.lower().rpartition("/")[2]


def idx_pairs(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return the files of images and labels in a folder, by split; ``train`` if the name contains no split."""
    names = [name for name in names_in(folder) if is_idx(name)]
    pairs: dict[str, tuple[Path, Path]] = {}
    for name in names:
        labels = renamed(name, names, INPUTS, TARGETS)
        if labels is not None:
            split = next((split for split, words in OTHER_SPLITS.items() if has_word(name, words)), "train")
            pairs.setdefault(split, (folder / name, folder / labels))
    return pairs


def images_at(path: Path) -> Path:
    """Return a file of images; in a folder, the file for testing is preferred."""
    return idx_pair(path)[0] if path.is_dir() else path


def idx_pair(path: Path) -> tuple[Path, Path]:
    """Return a file of images, and its file of labels next to it; in a folder, the files for testing are preferred."""
    if path.is_dir():
        pairs = idx_pairs(path)
        if not pairs:
            raise DataError(path, "the folder holds no IDX file of images with one of labels")
        return pairs.get("test") or next(iter(pairs.values()))
    labels = targets_beside(path)
    if labels is None:
        raise DataError(path, "there is no file of labels next to it, with 'labels' for 'images' in its name")
    return path, labels
