"""Finds the IDX files of images and labels in a folder."""

from __future__ import annotations

from pathlib import Path

from mlpkit import DataError
from mlpkit_plugins.files.neighbouring_files import names_in, targets_beside
from mlpkit_plugins.files.paired_names import INPUTS, OTHER_SPLITS, TARGETS, has_word, renamed


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
