"""The models that are served: by name and version, each replaced as a whole once its file has changed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np

from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import MlpkitError, UsageError
from mlpkit.groups.prediction_file import write_columns
from mlpkit.jobs.drift import drift
from mlpkit.jobs.explanations import background_of
from mlpkit.jobs.inputs import require_exists
from mlpkit.jobs.load_model import TrainedModel, load_run, load_trained
from mlpkit.registry.registry import Registry
from mlpkit.runs.layout import MODEL
from mlpkit.verbs.serve.refusals import NOT_FOUND, Refusal
from mlpkit.verbs.serve.rows import Column, Rows, columns_taken

if TYPE_CHECKING:
    from mlpkit.components.dataset import RawRows

NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*")
"""What a model may be called: it is a part of an address."""

MOST_RECENT: Final = 2000
"""Rows of a version that are kept for its drift."""
LEVEL: Final = 0.01
"""The probability of any false alarm, as in ``mlpkit data --against``."""

Stamp = tuple[int, int, int]


class Loaded:
    """A model as it was loaded from a file.

    Args:
        model: the trained model.
        directory: its run folder; None if it is a model file.
        stamp: what changes with the file.
    """

    def __init__(self, model: TrainedModel, directory: Path | None, stamp: Stamp) -> None:
        self.model, self.directory, self.stamp = model, directory, stamp
        self.columns: tuple[Column, ...] | None = columns_taken(model)

    @cached_property
    def background(self) -> RawRows:
        """The rows that explanations compare with."""
        return background_of(self.directory, self.model)


class Version:
    """A version of a model, which lasts while the file is replaced.

    Attributes:
        loaded: what to predict with; a request that has begun keeps the one that it has.
        recent: the last rows of requests, if they are kept.
    """

    def __init__(self, model: str, version: str, path: Path, registry: Registry) -> None:
        self.model, self.version, self.path, self._registry = model, version, path, registry
        self.file = path / MODEL if path.is_dir() else path
        self.loaded = self._load()
        self._tried, self.recent = self.loaded.stamp, deque[Any](maxlen=MOST_RECENT)

    def has_changed(self) -> bool:
        """Whether the file is another than the one that was last tried."""
        try:
            return self._stamp() != self._tried
        except OSError:  # the file is being replaced, or gone: the model stays
            return False

    def reload(self) -> None:
        """Load the file, and put the model in the place of the former one, or raise an error and keep that."""
        self._tried = self._stamp()
        self.loaded = self._load()
        self.recent.clear()

    def keep(self, rows: Rows) -> None:
        """Keep rows that were predicted for, in place of older ones; not those of CSV bodies."""
        content = rows.content
        if not isinstance(content, bytes):
            self.recent.extend(content if isinstance(content, np.ndarray) else zip(*content.values(), strict=True))

    def drift(self) -> dict[str, Any]:
        """Compare the rows that were kept with those of training, as ``mlpkit data --against`` does."""
        loaded, rows = self.loaded, [*self.recent]
        if not rows or loaded.directory is None:
            why = "no rows are kept yet" if loaded.directory else "a model file alone has no statistics of training"
            raise Refusal(NOT_FOUND, why)
        with TemporaryDirectory(prefix="mlpkit-") as folder:
            if loaded.columns is None:
                file = Path(folder, "rows.npy")
                np.save(file, np.stack(rows))
            else:
                file = Path(folder, "rows.csv")
                columns = zip(loaded.columns, zip(*rows, strict=True), strict=True)
                write_columns(file, {column.name: [*map(column.as_in_a_file, values)] for column, values in columns})
            name = f"the last {len(rows):,} rows"
            return drift(loaded.model, loaded.directory, file, name, LEVEL, 0.0).to_plain()

    def _load(self) -> Loaded:
        try:
            stamp = self._stamp()
        except FileNotFoundError:  # loading tells what is missing
            stamp = (0, 0, 0)
        if self.path.is_dir():
            return Loaded(load_run(self.path, self._registry), self.path, stamp)
        return Loaded(load_trained(self.path, self._registry), None, stamp)

    def _stamp(self) -> Stamp:
        found = self.file.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino


def given(argument: str) -> tuple[str, Path]:
    """Return the name, which may be empty, and the path of ``RUN`` or ``NAME=RUN``, or raise ``UsageError``."""
    name, equals, path = argument.partition("=")
    if not equals or Path(argument).exists():
        return "", Path(argument)
    if not NAME.fullmatch(name):
        expected = "expected letters, digits, and then also ., - and _"
        raise UsageError(f"a model can't be called '{name}', which is a part of its address; {expected}")
    return name, Path(path)


class Models:
    """Models by name, each with its versions: the runs of one name, in the order given."""

    def __init__(self, arguments: Sequence[str], registry: Registry) -> None:
        self.versions: dict[str, dict[str, Version]] = {}
        for argument in arguments:
            name, path = given(argument)
            require_exists(path, "run or model file")
            version = Version(name, "1", path, registry)
            name = name or re.sub(r"[^\w.-]", "_", version.loaded.model.spec.name) or "model"
            of_name = self.versions.setdefault(name, {})
            version.model, version.version = name, str(len(of_name) + 1)
            of_name[version.version] = version

    def __iter__(self) -> Iterator[Version]:
        return (version for of_name in self.versions.values() for version in of_name.values())

    def find(self, name: str | None = None, version: str | None = None) -> Version:
        """Return a version, by default the last, of a model, by default the only one, or raise ``Refusal``."""
        if name is None and len(self.versions) > 1:
            paths = ", ".join(f"/models/{each}/predict" for each in self.versions)
            raise Refusal(NOT_FOUND, "there are several models", code="wrong-name", expected=f"one of {paths}")
        of_name = self.versions.get(name or next(iter(self.versions)))
        if of_name is None:
            self._refuse(f"there is no model '{name}'", str(name), self.versions)
        found = of_name.get(version) if version is not None else [*of_name.values()][-1]
        if found is None:
            self._refuse(f"the model '{name}' has no version '{version}'", str(version), of_name)
        return found

    def _refuse(self, message: str, word: str, names: dict[str, Any]) -> NoReturn:
        remedy = did_you_mean(word, names)
        expected = "" if remedy else f"one of {', '.join(names)}"
        raise Refusal(NOT_FOUND, message, code="wrong-name", expected=expected, remedy=remedy)


def message_of(error: Exception, version: Version) -> str:
    """Return what to print if a changed file can't be loaded."""
    text = str(error) if isinstance(error, MlpkitError | OSError) else f"{type(error).__name__}: {error}"
    return f"warning: {version.model} (version {version.version}) stays as it was: {text}"
