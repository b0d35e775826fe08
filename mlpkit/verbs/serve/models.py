"""The models that are served: by name and version, each replaced as a whole once its file has changed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from mlpkit.components.schema.wording import did_you_mean
from mlpkit.errors import MlpkitError, RunFolderError, UsageError
from mlpkit.jobs.explanations import background_of
from mlpkit.jobs.inputs import require_exists
from mlpkit.jobs.load_model import TrainedModel, load_run, load_trained
from mlpkit.registry.registry import Registry
from mlpkit.runs.kinds import is_run_folder, kind_of
from mlpkit.runs.layout import MODEL
from mlpkit.verbs.serve.columns import Column, columns_taken
from mlpkit.verbs.serve.refusals import NOT_FOUND, Refusal

if TYPE_CHECKING:
    from mlpkit.components.dataset import RawRows

NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*")
"""What a model may be called: it is a part of an address."""

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
    """

    def __init__(self, model: str, version: str, path: Path, registry: Registry) -> None:
        self.model, self.version, self.path, self._registry = model, version, path, registry
        self.file = path / MODEL if path.is_dir() else path
        self.loaded = self._load()
        self._tried = self.loaded.stamp

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


class Given(NamedTuple):
    """A model that the command line names."""

    name: str
    path: Path


def given(argument: str) -> Given:
    """Return what an argument names: ``RUN`` or ``NAME=RUN``, or raise ``UsageError``."""
    name, equals, path = argument.partition("=")
    if not equals or Path(argument).exists():
        name, path = "", argument
    elif not NAME.fullmatch(name):
        expected = "expected letters, digits, and then also ., - and _"
        raise UsageError(f"a model can't be called '{name}', which is a part of its address; {expected}")
    return Given(name, Path(path))


class Models:
    """Models by name, each with its versions: the runs of one name, in the order given."""

    def __init__(self, arguments: Sequence[str], registry: Registry) -> None:
        self.versions: dict[str, dict[str, Version]] = {}
        for argument in arguments:
            name, path = given(argument)
            _require_one_model(path)
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


def _require_one_model(path: Path) -> None:
    require_exists(path, "run or model file")
    kind = kind_of(path) if path.is_dir() else None
    if kind is not None and not is_run_folder(path):
        example = shlex.quote(str(path / "0"))
        raise RunFolderError(f"{path}: holds {kind.holds}; serve one of them, such as: mlpkit serve {example}")


def message_of(error: Exception, version: Version) -> str:
    """Return what to print if a changed file can't be loaded."""
    text = str(error) if isinstance(error, MlpkitError | OSError) else f"{type(error).__name__}: {error}"
    return f"warning: {version.model} (version {version.version}) stays as it was: {text}"
