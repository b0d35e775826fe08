"""Reads what W&B keeps of a run when it is offline, record by record."""

from __future__ import annotations

import json
import struct
import time
import zlib

BLOCK = 32768
LONGEST_WAIT = 60
FULL, FIRST, LAST = 1, 2, 4


def records_of(path):
    """Yield the records of a .wandb file, which is a log in LevelDB's format behind seven bytes of its own."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, place, record = path.read_bytes(), 7, b""
    assert content[:4] == b":W&B"
    while place < len(content):
        if BLOCK - place % BLOCK < 7:  # the end of a block, too short for a header
            place += BLOCK - place % BLOCK
            continue
        checksum, length, kind = struct.unpack("<IHB", content[place : place + 7])
        part = content[place + 7 : place + 7 + length]
        assert zlib.crc32(bytes([kind]) + part) == checksum
        record = part if kind in {FULL, FIRST} else record + part
        if kind in {FULL, LAST}:
            yield Record.FromString(record)
        place += 7 + length


def logged_in(path):
    """Return what was logged in a .wandb file: rows of the history, the config, the summary, and the exit code.

    W&B's own process writes the file, and closes it some time after a run has ended.
    """
    deadline = time.monotonic() + LONGEST_WAIT
    while True:
        try:
            found = _logged_by_now(path)
        except (AssertionError, struct.error):  # a record is half written
            found = None
        if found and found[-1] is not None:
            return found
        assert time.monotonic() < deadline, f"{path} has no end"
        time.sleep(0.05)


def _logged_by_now(path):
    history, config, summary, code = [], {}, {}, None
    for record in records_of(path):
        if record.HasField("history"):
            history.append(_values(record.history.item))
        elif record.HasField("run"):
            config |= _values(record.run.config.update)
        elif record.HasField("summary"):
            summary |= _values(record.summary.update)
        elif record.HasField("exit"):
            code = record.exit.exit_code
    return history, config, summary, code


def _values(items):
    return {".".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}
