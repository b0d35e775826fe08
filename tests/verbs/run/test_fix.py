"""``mlpkit check --fix`` corrects what is certain, and leaves all else as it is."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpkit.errors import Fix, MlpkitError
from mlpkit.jobs.check import check
from mlpkit.specfile.spec import read_spec
from mlpkit.verbs.run.fix import _changed, fix_specs

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


class Spoiled(NamedTuple):
    """A spec that was spoiled, and what it was before."""

    kind: str
    right: str
    text: str


def spoiled_specs(section: str) -> list[Spoiled]:
    rows = yaml.safe_load((HERE / "spoiled_specs.yaml").read_text("utf-8"))[section]
    texts = {path.stem: path.read_text("utf-8") for path in (HERE / "right_specs").glob("*.yaml")}
    return [Spoiled(kind, texts[name], texts[name].replace(right, wrong)) for kind, name, right, wrong in rows]


FIXED, LEFT = spoiled_specs("fixed"), spoiled_specs("left")


def resolved(path: Path) -> Any:
    """Return a spec with every default filled in; None if something is wrong with it."""
    try:
        return check(read_spec(path)).spec.resolved()
    except MlpkitError:
        return None


def comments_in(text: str) -> list[str]:
    return re.findall(r" *#.*", text)


def test_sixty_specs_are_spoiled_in_fifteen_ways():
    assert len(FIXED) + len(LEFT) >= 60
    assert len({spoiled.kind for spoiled in FIXED}) >= 15
    assert all(spoiled.text != spoiled.right for spoiled in FIXED + LEFT)


@pytest.mark.parametrize("spoiled", FIXED, ids=lambda spoiled: spoiled.kind)
def test_a_spoiled_spec_is_right_again(spoiled, cwd, invoke):
    spec, right = cwd / "spec.yaml", cwd / "right" / "spec.yaml"
    right.parent.mkdir()
    right.write_text(spoiled.right)
    spec.write_text(spoiled.text)
    assert resolved(spec) is None
    done = invoke("check", "spec.yaml", "--fix", "--yes")
    fixed = spec.read_text()
    assert done.code == 0, done.err
    assert fixed == spoiled.right or resolved(spec) == resolved(right)
    assert comments_in(fixed) == comments_in(spoiled.right)


@pytest.mark.parametrize("spoiled", LEFT, ids=lambda spoiled: spoiled.kind)
def test_a_doubtful_spec_is_left_alone(spoiled, cwd, invoke):
    spec = cwd / "spec.yaml"
    spec.write_text(spoiled.text)
    done = invoke("check", "spec.yaml", "--fix", "--yes")
    assert done.code == 2
    assert spec.read_bytes() == spoiled.text.encode()
    assert "@@" not in done.err


SPECS = [path for folder in ("specs", "specs/papers", "specs/from_scratch") for path in (ROOT / folder).glob("*.yaml")]
KEY = re.compile(r"^[^#\n]*?\b([A-Za-z_]\w*)(?=:)", re.MULTILINE)
LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyz_ABC")


@cache
def right_specs() -> list[tuple[Path, Any]]:
    return [(path, found) for path in sorted(SPECS) if (found := resolved(path)) is not None]


@st.composite
def slips(draw: Any, word: str) -> str:
    """Return a word with one letter more, fewer or other, or two neighbours swapped."""
    at = draw(st.integers(0, len(word) - 1))
    start, here, rest = word[:at], word[at], word[at + 1 :]
    return draw(
        st.sampled_from([start + rest, start + rest[:1] + here + rest[1:]])
        | LETTERS.map(lambda letter: start + letter + rest)
        | LETTERS.map(lambda letter: start + letter + here + rest)
    )


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_no_fix_of_a_misspelt_key_gives_another_meaning(data, tmp_path_factory):
    path, meaning = data.draw(st.sampled_from(right_specs()))
    text = path.read_text("utf-8")
    key = data.draw(st.sampled_from(list(KEY.finditer(text))))
    misspelt = text[: key.start(1)] + data.draw(slips(key[1])) + text[key.end(1) :]
    copy = tmp_path_factory.mktemp("specs") / path.name
    copy.write_text(misspelt, "utf-8")
    for file in fix_specs([str(copy)]).files:
        file.write()
        assert file.after == text or resolved(copy) in (None, meaning)


def test_line_ends_the_mark_and_the_mode_are_kept(cwd, invoke):
    spec, link = cwd / "tiny.yaml", cwd / "link.yaml"
    text = "\ufeff# größer\n" + spec.read_text().replace("batch_size", "batch_sise  ").replace("\n", "  \r\n")
    spec.write_bytes(text.encode())
    spec.chmod(0o640)
    link.symlink_to(spec)
    assert invoke("check", "link.yaml", "--fix", "--yes").code == 0
    assert spec.read_bytes() == text.replace("sise", "size").encode()
    assert spec.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()


def spoil(file: Path) -> str:
    """Spoil the tiny spec twice, so that one mistake hides the other, and return its text."""
    text = file.read_text().replace("batch_size: ", "batch_sise:").replace("Relu", "ReLU")
    file.write_text(text)
    return text


def test_without_yes_and_without_a_terminal_nothing_is_written(cwd, invoke):
    text = spoil(cwd / "tiny.yaml")
    done = invoke("check", "tiny.yaml", "--fix")
    assert done.code == 2
    assert "-  batch_sise:50\n+  batch_size: 50\n" in done.err
    assert "-  - ReLU\n+  - Relu\n" in done.err
    assert "nothing is written; add --yes to write these changes\n" in done.err
    assert "a space is missing after ':'" in done.err
    assert (cwd / "tiny.yaml").read_text() == text


@pytest.mark.parametrize("answer", ["y", "n"])
def test_a_terminal_shows_the_changes_and_asks_though_results_go_to_a_file(answer, cwd, program, terminal):
    text = spoil(cwd / "tiny.yaml")
    command = ["sh", "-c", 'exec "$@" > results.txt', "sh", *program]
    screen = terminal("check", "tiny.yaml", "--fix", rows=60, command=command)
    screen.wait_for("Write these changes? [y/N]: ")
    assert "\x1b[31m-  - ReLU\x1b[0m" in screen.raw
    assert (cwd / "tiny.yaml").read_text() == text
    screen.child.sendline(answer)
    assert screen.wait_for_end() == (0 if answer == "y" else 2)
    assert ("ReLU" in (cwd / "tiny.yaml").read_text()) == (answer == "n")


def test_json_has_what_was_fixed_and_what_is_left(cwd, invoke):
    spoil(cwd / "tiny.yaml")
    done = invoke("check", "tiny.yaml", "--fix", "--yes", "--json", "--no-plugin", "sgd")
    document = json.loads(done.out)
    assert [(each["code"], each["fix"]["old"], each["fix"]["new"]) for each in document["fixed"]] == [
        ("yaml-syntax", ":", ": "),
        ("unknown-component", "ReLU", "Relu"),
        ("unknown-key", "batch_sise", "batch_size"),
    ]
    assert (document["ok"], [each["message"] for each in document["problems"]]) == (
        False,
        ["optimizer 'sgd' is blocked by name"],
    )
    assert json.loads(invoke("check", "tiny.yaml", "--fix", "--json").out)["fixed"] == []
    assert "fixed" not in json.loads(invoke("check", "tiny.yaml", "--json").out)


def test_a_file_that_a_spec_extends_is_fixed_only_if_it_is_given(cwd, invoke):
    text = spoil(cwd / "tiny.yaml")
    (cwd / "more.yaml").write_text("extends: tiny.yaml\nnmae: more\n")
    assert invoke("check", "more.yaml", "--fix", "--yes").code == 2
    assert (cwd / "tiny.yaml").read_text() == text
    done = invoke("check", "more.yaml", "./tiny.yaml", "--fix", "--yes")
    assert (done.code, (cwd / "more.yaml").read_text()) == (0, "extends: tiny.yaml\nname: more\n")
    assert "ReLU" not in (cwd / "tiny.yaml").read_text()


def test_wrong_use_is_refused(cwd, invoke):
    assert "--fix and --set can't both be given" in invoke("check", "tiny.yaml", "--fix", "--set", "seed=1").err
    assert "--yes goes with --fix" in invoke("check", "tiny.yaml", "--yes").err
    assert "there is no file 'missing.yaml'" in invoke("check", "missing.yaml", "--fix", "--yes").err


def test_a_file_that_changes_meanwhile_is_kept(cwd):
    spoil(cwd / "tiny.yaml")
    (file,) = fix_specs(["tiny.yaml"]).files
    (cwd / "tiny.yaml").write_text("seed: 0\n")
    with pytest.raises(MlpkitError, match=r"tiny\.yaml has changed meanwhile"):
        file.write()
    assert (cwd / "tiny.yaml").read_text() == "seed: 0\n"


def test_fixes_without_an_end_are_not_made(cwd, monkeypatch):
    spoil(cwd / "tiny.yaml")
    monkeypatch.setattr("mlpkit.verbs.run.fix.MOST_ROUNDS", 1)
    assert not fix_specs(["tiny.yaml"]).files


def test_a_file_that_may_not_be_written_is_an_error_and_stays(cwd, invoke, monkeypatch):
    wrong = (cwd / "tiny.yaml").read_text().replace("training:", "trainig:")
    (cwd / "tiny.yaml").write_text(wrong)
    monkeypatch.setattr("mlpkit.verbs.run.fix.os.access", lambda path, mode: False)
    done = invoke("check", "tiny.yaml", "--fix", "--yes")
    assert done.code == 1
    assert "tiny.yaml: can't be written: Permission denied" in done.err
    assert (cwd / "tiny.yaml").read_text() == wrong


@pytest.mark.parametrize(
    ("fixes", "after"),
    [
        ({(1, 1): Fix("ab", "x"), (2, 2): Fix("d", "")}, "xa\nc\n"),
        ({(1, 1): Fix("b", "x")}, "aba\ncd\n"),  # it isn't there
        ({(1, 1): Fix("ab", "x"), (1, 2): Fix("b", "bb")}, "abba\ncd\n"),  # of two that overlap, the second
        ({(1, 1): Fix("ab", "x"), (1, 3): Fix("a", "y")}, "xy\ncd\n"),
    ],
)
def test_a_text_is_changed_where_it_is_as_expected_and_no_letter_twice(fixes, after):
    assert _changed("aba\ncd\n", fixes) == after
    assert _changed("\ufeffaba\ncd\n", fixes) == f"\ufeff{after}"
