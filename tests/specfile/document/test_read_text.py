"""Reading a spec's file. Texts that can be read but are wrong are in ``wrong_specs``."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpkit.errors import SpecSyntaxError
from mlpkit.specfile.document import parse_document, read_document
from mlpkit.specfile.source import LARGEST_TEXT, MOST_LINES


@pytest.fixture
def message_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def message(path: str) -> str:
        with pytest.raises(SpecSyntaxError) as caught:
            read_document(path)
        return str(caught.value)

    return message


def test_no_file_but_one_of_nearly_that_name(message_of, tmp_path):
    (tmp_path / "specs").mkdir()
    for name in ("mnist_3layer.yaml", "iris.yml", "mnist_3layre.txt"):
        (tmp_path / "specs" / name).touch()
    assert message_of("specs/mnist_3layre.yaml").splitlines() == [
        "specs/mnist_3layre.yaml:1:1: there is no file 'specs/mnist_3layre.yaml'",
        "  help: did you mean 'specs/mnist_3layer.yaml'?",
    ]


def test_no_file_and_none_of_nearly_that_name(message_of):
    assert message_of("mnist.yaml") == "mnist.yaml:1:1: there is no file 'mnist.yaml'"


def test_no_file_in_a_folder_that_can_not_be_listed(message_of, monkeypatch):
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert message_of("mnist.yaml") == "mnist.yaml:1:1: there is no file 'mnist.yaml'"


def test_no_folder(message_of):
    assert message_of("specs/mnist.yaml") == "specs/mnist.yaml:1:1: there is no folder 'specs'"


def test_a_folder(message_of, tmp_path):
    (tmp_path / "specs").mkdir()
    assert message_of("specs") == "specs:1:1: 'specs' is a folder\n  expected: a YAML file"


def test_a_file_where_a_folder_should_be(message_of, tmp_path):
    (tmp_path / "a.yaml").touch()
    assert message_of("a.yaml/b.yaml") == "a.yaml/b.yaml:1:1: 'a.yaml/b.yaml' can't be read: Not a directory"


def test_a_link_that_leads_to_itself(message_of, tmp_path):
    (tmp_path / "a.yaml").symlink_to("a.yaml")
    assert "can't be read" in message_of("a.yaml")


def test_a_file_that_may_not_be_read(message_of, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("seed: 0\n")
    path.chmod(0)
    try:
        path.read_text()
    except PermissionError:
        assert message_of("a.yaml") == "a.yaml:1:1: 'a.yaml' can't be read: Permission denied"
    else:
        pytest.skip("this user may read everything")


def test_a_name_that_no_file_can_have(message_of):
    assert message_of("a\0b") == "a\ufffdb:1:1: 'a\\x00b' can't be the name of a file: embedded null byte"


def test_a_name_with_control_characters_is_safe_to_print(message_of):
    assert "\x1b" not in message_of("a\x1b[31m.yaml")


def test_the_largest_file_is_read(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: '" + b"x" * (LARGEST_TEXT - 5) + b"'")
    assert len(read_document(path).values["a"]) == LARGEST_TEXT - 5


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
def test_a_larger_file_is_not(message_of, tmp_path, mark):
    (tmp_path / "a.yaml").write_bytes(mark + b"a: '" + b"x" * (LARGEST_TEXT - 5) + b"'#")
    assert message_of("a.yaml").splitlines()[0] == "a.yaml:1:1: 'a.yaml' is larger than 1 MiB"


def test_a_text_in_memory_has_the_same_limit(faults_of):
    assert len(parse_document("a: '" + "x" * (LARGEST_TEXT - 5) + "'").values["a"]) == LARGEST_TEXT - 5
    text = "a: '" + "é" * (LARGEST_TEXT // 2 - 2) + "'"
    assert faults_of(text, reader=parse_document) == ["<spec>:1:1: '<spec>' is larger than 1 MiB"]


def test_the_most_lines_are_read(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("#\n" * (MOST_LINES - 1) + "a: 1\n")
    assert read_document(path).values == {"a": 1}


@pytest.mark.parametrize("last", ["a: 1", "#"])
def test_more_lines_are_not(message_of, tmp_path, last):
    (tmp_path / "a.yaml").write_text("#\n" * MOST_LINES + last)
    first, *_, last = message_of("a.yaml").splitlines()
    assert first == "a.yaml:1:1: 'a.yaml' has more than 100,000 lines"
    assert last == "  help: keep data in separate files"


def test_an_endless_file_is_not_read_to_its_end(message_of):
    assert message_of("/dev/zero").splitlines()[0] == "/dev/zero:1:1: '/dev/zero' is larger than 1 MiB"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path, message_of):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfseed: 0\r\n")
    document = read_document(path)
    assert (document.text, document.values) == ("seed: 0\r\n", {"seed": 0})
    path.write_bytes(b"\xef\xbb\xbfa: \xe9")
    assert message_of("a.yaml").splitlines()[0] == "a.yaml:1:4: byte 6 is not UTF-8"


@pytest.mark.parametrize("encoding", ["UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"])
def test_another_encoding_is_an_error(message_of, tmp_path, encoding):
    (tmp_path / "a.yaml").write_bytes("\ufeffseed: 0\n".encode(encoding))
    assert message_of("a.yaml").splitlines()[-1] in ("  help: save the file as UTF-8", "  help: save it as text")


def test_a_nul_in_a_file_is_no_encoding(message_of, tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"a\0: 1\nb: \0\0\0")
    assert message_of("a.yaml").startswith("a.yaml:1:2: a spec can't hold the character U+0000")


@pytest.mark.parametrize(
    ("content", "place"), [(b"a: 1\nb: \xc3(", "2:4"), (b"\xff", "1:1"), ("é: ".encode() + b"\xe9", "1:4")]
)
def test_the_place_of_what_is_not_utf_8(message_of, tmp_path, content, place):
    (tmp_path / "a.yaml").write_bytes(content)
    assert message_of("a.yaml").startswith(f"a.yaml:{place}: byte ")


@pytest.mark.parametrize("text", ["", " \n\t\n", "\r\n", "\N{NO-BREAK SPACE}\n", "\x0c"])
def test_an_empty_file(message_of, tmp_path, text):
    (tmp_path / "a.yaml").write_bytes(text.encode())
    assert message_of("a.yaml").startswith("a.yaml:1:1: this spec is empty\n")


@pytest.mark.parametrize("text", ["#", "# one\r# two\r\n\t# three\n", "\n\n  #x"])
def test_a_file_of_comments(message_of, tmp_path, text):
    (tmp_path / "a.yaml").write_bytes(text.encode())
    assert message_of("a.yaml").startswith("a.yaml:1:1: this spec holds nothing but comments\n")
