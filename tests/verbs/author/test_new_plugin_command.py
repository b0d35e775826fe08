"""``mlpkit new-plugin``."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest

NEXT = """\
install it with: pip install -e "{place}[test]"
test it with: pytest {folder}
use it with: mlpkit run {folder}/example.yaml
"""


def test_a_package_is_written_and_what_to_do_with_it_is_said(mlpkit, cwd):
    done = mlpkit("new-plugin", "acme")
    assert (done.code, done.out) == (0, "acme-mlpkit\n")
    assert done.err == NEXT.format(place="./acme-mlpkit", folder="acme-mlpkit")
    assert (cwd / "acme-mlpkit/acme_mlpkit/swish.py").is_file()


def test_kind_and_folder_can_be_chosen(invoke, cwd):
    place = cwd / "elsewhere"
    done = invoke("new-plugin", "acme", "--kind", "schedule", "--out", str(place))
    assert (done.code, done.out) == (0, f"{place}\n")
    assert done.err == NEXT.format(place=place, folder=place)
    assert (place / "acme_mlpkit/cosine.py").is_file()


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("engine", "use it with: mlpkit sweep a/example.yaml --on acme.half_the_cores\n"),
        (
            "exporter",
            "train a network for it: mlpkit run a/example.yaml\n"
            "use it with: mlpkit export runs/acme --to FILE --format acme.numpy_code\n",
        ),
        ("verb", "use it with: mlpkit acme.small_weights --help\n"),
    ],
)
def test_the_last_command_uses_a_component_of_that_kind(invoke, kind, lines):
    assert invoke("new-plugin", "acme", "--kind", kind, "--out", "a").err.partition("pytest a\n")[2] == lines


def test_a_folder_with_a_space_is_quoted(invoke):
    done = invoke("new-plugin", "acme", "--kind", "exporter", "--out", "a b")
    assert done.err == (
        'install it with: pip install -e "./a b[test]"\n'
        "test it with: pytest 'a b'\n"
        "train a network for it: mlpkit run 'a b/example.yaml'\n"
        "use it with: mlpkit export runs/acme --to FILE --format acme.numpy_code\n"
    )


def test_mistakes_are_shown(invoke):
    assert invoke("new-plugin", "Acme").err == (
        "error: 'Acme' can't be a namespace; expected a word or words in snake_case, such as acme or acme_vision, "
        "and not a Python keyword\n"
    )
    assert invoke("new-plugin", "acme").code == 0
    again = invoke("new-plugin", "acme")
    assert (again.code, again.out) == (2, "")
    assert again.err == "error: acme-mlpkit exists already; choose another folder with --out\n"
    wrong = invoke("new-plugin", "acme", "--kind", "thing")
    assert wrong.code == 2
    assert "'thing' is not one of 'layer', 'loss'" in wrong.err


def test_an_update_names_files_and_prints_the_difference(invoke, cwd):
    folder = cwd / "acme-mlpkit"
    assert invoke("new-plugin", "acme").code == 0
    done = invoke("new-plugin", "--update", str(folder))
    assert (done.code, done.out, done.err) == (0, "", "up to date\n")
    record = folder / ".mlpkit-plugin.json"

    def update(name, text):
        """Update the package as if an earlier template had another file, which now has that text."""
        checksum = re.search(f'(?<="{name}": ")\\w+', record.read_text("utf-8"))[0]
        record.write_text(record.read_text("utf-8").replace(checksum, sha256(b"earlier\n").hexdigest()), "utf-8")
        (folder / name).write_text(text, "utf-8")
        return invoke("new-plugin", "--update", str(folder))

    done = update("README.md", "earlier\n")
    assert (done.code, done.out, done.err) == (0, "", "written: README.md\n")
    done = update("LICENSE", "mine\n")
    assert (done.code, done.out.splitlines()[:4]) == (0, ["--- a/LICENSE", "+++ b/LICENSE", "@@ -1 +1,21 @@", "-mine"])
    assert done.err == "changed by you, so left as it is; see the difference: LICENSE\n"


def test_the_update_is_of_this_folder_by_default(invoke, cwd, monkeypatch):
    assert invoke("new-plugin", "acme").code == 0
    monkeypatch.chdir("acme-mlpkit")
    assert invoke("new-plugin", "--update").err == "up to date\n"


def test_a_new_package_has_a_name_and_an_updated_one_a_folder(invoke):
    neither = invoke("new-plugin")
    assert neither.code == 2
    assert neither.err == "error: new-plugin needs a NAME, such as acme; or --update, in the folder of a package\n"
    both = invoke("new-plugin", "acme", "--update", ".")
    assert both.code == 2
    assert both.err == "error: --update takes a package's folder, and neither NAME nor --out\n"
