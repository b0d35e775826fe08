"""Parts of an open file, also where the system can't read at an offset."""

import os

import pytest

from mlpkit_plugins.files.regular_file import read_at


@pytest.mark.parametrize("has_preadv", [True, False])
@pytest.mark.parametrize(("place", "wanted", "content"), [(0, 2, b"ab"), (3, 2, b"de"), (4, 9, b"ef"), (6, 1, b"")])
def test_a_part_is_read_at_an_offset(tmp_path, monkeypatch, has_preadv, place, wanted, content):
    if not has_preadv:
        monkeypatch.delattr(os, "preadv", raising=False)
    (tmp_path / "file").write_bytes(b"abcdef")
    target = bytearray(wanted)
    with (tmp_path / "file").open("rb") as file:
        received = read_at(file.fileno(), place, memoryview(target))
        assert (received, bytes(target[:received])) == (len(content), content)
        read_at(file.fileno(), 0, memoryview(target))  # still open, and from any place
        assert target.startswith(b"a")
