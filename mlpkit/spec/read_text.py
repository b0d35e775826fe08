"""Reads a spec's file, or says why it can't be read."""

from __future__ import annotations

import codecs
import re
import stat
from typing import TYPE_CHECKING, Final

from mlpkit.components.schema.suggestion import nearest
from mlpkit.spec.characters import shown
from mlpkit.spec.limits import LARGEST_TEXT
from mlpkit.spec.source import Place, SourceText

if TYPE_CHECKING:
    from pathlib import Path

    from mlpkit.spec.faults import FaultList

WHAT_TO_WRITE: Final = "'mlpkit init' writes a spec to start from"
YAML_SUFFIXES: Final = (".yaml", ".yml")
BYTE_ORDER_MARK: Final = "\ufeff"
OTHER_ENCODINGS: Final = (
    (re.compile(rb"\0\0\xfe\xff|\0\0\0[^\0]", re.DOTALL), "UTF-32BE"),
    (re.compile(rb"\xff\xfe\0\0|[^\0]\0\0\0", re.DOTALL), "UTF-32LE"),
    (re.compile(rb"\xfe\xff|\0[^\0]", re.DOTALL), "UTF-16BE"),
    (re.compile(rb"\xff\xfe|[^\0]\0", re.DOTALL), "UTF-16LE"),
)
"""How files in Unicode's other encodings begin, by byte order mark or by ASCII (YAML 1.2.2, section 5.2)."""

BEYOND_COMMENTS: Final = re.compile(r"(?:\A|[\r\n])[ \t]*[^ \t\r\n#]")
"""The first line that is neither blank nor a comment."""


def read_text(
    path: Path,
    faults: FaultList,
    *,
    order: int = 0,
    notes: tuple[str, ...] = (),
    asked_at: Place | None = None,
) -> SourceText | None:
    """Return the text of a file, or None after reporting why there is none.

    Args:
        path: the file.
        faults: takes what is wrong.
        order: the text's position among the texts of one spec.
        notes: how the spec came to this file.
        asked_at: where another file names this one; by default the fault is in the file itself.
    """
    name = shown(str(path))
    content = _read_bytes(path, faults, asked_at, Place(SourceText(name, "", order, notes), 0, 0))
    if content is None:
        return None
    encoding = _other_encoding(content)
    if encoding:
        remedy = f"save it as UTF-8, in your editor or with 'iconv -f {encoding} -t UTF-8'"
        faults.report(Place(SourceText(name, "", order, notes), 0, 0), f"this file is {encoding}", remedy=remedy)
        return None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        whole = SourceText(name, content.decode("utf-8", "replace").removeprefix(BYTE_ORDER_MARK), order, notes)
        _report_encoding(content, error.start, whole, faults)
        return None
    source = SourceText(name, text.removeprefix(BYTE_ORDER_MARK), order, notes)
    return source if holds_something(source, faults) else None


def _other_encoding(content: bytes) -> str | None:
    """Return the name of the encoding if it is plainly UTF-16 or UTF-32."""
    encoding = next((name for start, name in OTHER_ENCODINGS if start.match(content)), None)
    return encoding if encoding and "\0" not in content.decode(encoding, "replace") else None


def holds_something(source: SourceText, faults: FaultList) -> bool:
    """Whether a text has more than comments and is not too large; if not, that is reported."""
    start = Place(source, 0, 0)
    if len(source.text.encode("utf-8", "surrogatepass")) > LARGEST_TEXT:
        _report_size(source.name, start, faults)
    elif not source.text.strip():
        faults.report(start, "this spec is empty", remedy=WHAT_TO_WRITE)
    elif not BEYOND_COMMENTS.search(source.text):
        faults.report(start, "this spec holds nothing but comments", remedy=WHAT_TO_WRITE)
    else:
        return True
    return False


def _read_bytes(path: Path, faults: FaultList, asked_at: Place | None, start: Place) -> bytes | None:
    place = asked_at or start
    try:
        if asked_at is not None and not _may_be_read(path):
            faults.report(place, f"'{shown(str(path))}' is no regular file", expected="a YAML file")
            return None
        with path.open("rb") as file:
            content = file.read(LARGEST_TEXT + len(codecs.BOM_UTF8) + 1)
    except FileNotFoundError:
        _report_missing(path, faults, place)
        return None
    except IsADirectoryError:
        faults.report(place, f"'{shown(str(path))}' is a folder", expected="a YAML file")
        return None
    except OSError as error:
        faults.report(place, f"'{shown(str(path))}' can't be read: {error.strerror or error}")
        return None
    except ValueError as error:  # a NUL in the name
        faults.report(place, f"{str(path)!r} can't be the name of a file: {error}")
        return None
    if len(content.removeprefix(codecs.BOM_UTF8)) > LARGEST_TEXT:
        _report_size(shown(str(path)), place, faults)
        return None
    return content


def _may_be_read(path: Path) -> bool:
    """Whether a file that another one names won't keep its reader waiting, as a pipe or a terminal would."""
    mode = path.stat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _report_size(name: str, place: Place, faults: FaultList) -> None:
    mebibytes = LARGEST_TEXT // 1024**2
    faults.report(place, f"'{name}' is larger than {mebibytes} MiB", remedy="keep data in files of their own")


def _report_missing(path: Path, faults: FaultList, place: Place) -> None:
    folder = path.parent
    if not folder.is_dir():
        faults.report(place, f"there is no folder '{shown(str(folder))}'")
        return
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.suffix in YAML_SUFFIXES)
    except OSError:  # a folder that can't be listed has nothing to suggest
        names = []
    found = nearest(path.name, names)
    remedy = f"did you mean '{shown(str(folder / found))}'?" if found else ""
    faults.report(place, f"there is no file '{shown(str(path))}'", remedy=remedy)


def _report_encoding(content: bytes, byte: int, source: SourceText, faults: FaultList) -> None:
    character = len(content[:byte].decode("utf-8").removeprefix(BYTE_ORDER_MARK))
    place = Place(source, character, character + 1)
    faults.report(place, f"byte {byte} is not UTF-8", remedy="save the file as UTF-8")
