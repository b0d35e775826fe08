"""Specs made to cost time or memory: each is accepted or refused within a second and 100 MB, in a short message."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from fuzzing.watch import campaign

from mlpkit.errors import SpecError
from mlpkit.jobs.check import check
from mlpkit.specfile.source import LARGEST_TEXT, MOST_LINES
from mlpkit.specfile.spec import read_spec

HEAD = "mlpkit: 1\nname: bomb\ndata: mnist\n"
LAYERS = "layers:\n  - Affine: {units: 10}\n  - SoftmaxWithLoss\n"
TRAINING = "training:\n  optimizer: {sgd: {learning_rate: 0.1}}\n  batch_size: 100\n  epochs: 3\n"
MEGABYTE = 1_000_000


def spec(layers: str = LAYERS, *, head: str = HEAD, training: str = TRAINING) -> str:
    return head + layers + training


def lines(line: str, count: int) -> str:
    return "".join(line.format(i) for i in range(count))


LONG = "A" * MEGABYTE
BOMBS = {
    # nesting
    "brackets": "[" * MEGABYTE,
    "braces": "{a: " * (MEGABYTE // 4),
    "dashes": "- " * (MEGABYTE // 2),
    "question marks": "? " * (MEGABYTE // 2),
    "nested schedules": spec(training=TRAINING.replace("0.1", "{constant: " * 15 + "1" + "}" * 15)),
    "nested initializers": spec(
        f"layers:\n  - Affine: {{units: 10, weights: {'{normal: ' * 14}x{'}' * 14}}}\n  - SoftmaxWithLoss\n"
    ),
    # anchors, aliases, merges, tags
    "a billion laughs": "a0: &a0 [x]\n" + lines("b{0}: &b{0} [*a0, *a0, *a0, *a0, *a0, *a0, *a0, *a0]\n", 1000),
    "merge keys": "a: &a {b: 1}\n" + lines("c{0}: {{<<: [*a, *a, *a, *a, *a, *a]}}\n", 20_000),
    "anchors": "&a " * (MEGABYTE // 3),
    "tags": "a: " + "!x " * (MEGABYTE // 3),
    # width
    "a wide mapping": "{" + lines("k{0}: {0}, ", 60_000) + "}",
    "a wide list": "a: [" + "1," * (MEGABYTE // 2) + "]",
    "ten thousand layers": spec("layers:\n" + "  - Relu\n" * 9_950 + LAYERS.removeprefix("layers:\n")),
    "three thousand parameters": spec("layers:\n" + "  - Affine: {units: 10}\n" * 3_300 + "  - SoftmaxWithLoss\n"),
    "three thousand shapes": spec(
        "layers:\n" + lines("  - Affine: {{units: 1{0}}}\n", 3_300) + "  - SoftmaxWithLoss\n"
    ),
    # layers inside layers
    "a billion copies": spec(
        "layers:\n  - Repeat: {times: 1000000000, layer: Relu}\n" + LAYERS.removeprefix("layers:\n")
    ),
    "copies of copies": spec(
        f"layers:\n  - {'{Repeat: {times: 10, layer: ' * 7}Relu{'}}' * 7}\n" + LAYERS.removeprefix("layers:\n")
    ),
    "copies, often": spec(
        "layers:\n" + "  - Repeat: {times: 100, layer: Relu}\n" * 1_900 + LAYERS.removeprefix("layers:\n")
    ),
    "five thousand copies": spec(
        "layers:\n  - Repeat: {times: 5000, layer: {Affine: {units: 784}}}\n" + LAYERS.removeprefix("layers:\n")
    ),
    # requirements
    "a version of five thousand digits": spec() + "requires: {numpy: '" + "9" * 5_000 + "'}\n",
    "a range of five thousand digits": spec() + "requires: {numpy: '>=" + "9" * 5_000 + "'}\n",
    "many ranges": spec() + "requires: {numpy: '" + ">=1," * 200_000 + ">=1'}\n",
    "many distributions": spec() + "requires:\n" + lines("  d{0}: '>=1'\n", 9_000),
    "a long distribution": f"{spec()}requires: {{? {LONG} : '>=1'}}\n",
    # many errors
    "misspelt layers": spec("layers:\n" + lines("  - Afine{0}\n", 9_950) + "  - SoftmaxWithLoss\n"),
    "misspelt keys": spec() + lines("  batch_sise{0}: 1\n", 9_900),
    "misspelt variables": "vars:\n" + lines("  v{0}: 1\n", 4_900) + "layers: [" + lines("$w{0}, ", 4_900) + "]\n",
    "one metric": spec() + "  metrics: [" + "accuracy, " * 9_950 + "]\n",
    "one layer name": spec("layers:\n" + "  - Relu: {name: Relu1}\n" * 3_300 + LAYERS.removeprefix("layers:\n")),
    "losses": spec("layers:\n" + "  - SoftmaxWithLoss\n" * 9_950),
    "one key": spec() + "seed: 0\n" * 50_000,
    "bad escapes": 'name: "' + "\\q" * 490_000 + '"\n',
    # long texts
    "a long key": f"{spec()}? {LONG}\n: 1\n",
    "a long key over many lines": spec() + '? "a' + "\n" * (MOST_LINES - 20) + '"\n: 1\n',
    "a long layer name": spec(f"layers:\n  - {LONG}\n  - SoftmaxWithLoss\n"),
    "a long parameter name": spec(f"layers:\n  - Affine: {{units: 10, ? {LONG} : 1}}\n  - SoftmaxWithLoss\n"),
    "a long choice": f"{spec()}  sampling: {LONG}\n",
    "a long path": spec(head=f"mlpkit: 1\ndata: {{mnist: {{directory: {LONG}}}}}\n"),
    "a long base": f"extends: {LONG}\n",
    "a long way up": "extends: " + "../" * 300_000 + "etc/passwd\n",
    "a long line": spec() + " " * 900_000 + "x: 1\n",
    "a long comment": f"# {LONG}\n" + spec(),
    "a long block": "a: |\n" + " x\n" * (MOST_LINES - 1),
    "lines beyond the limit": "a: |\n" + " x\n" * 300_000,
    "a text beyond the limit": "#" * (LARGEST_TEXT + 1),
    "quotes": "name: " + "'" * MEGABYTE,
    "backslashes": 'name: "' + "\\\\" * 490_000 + '"\n',
    "tabs": spec() + "\t" * 900_000,
    "empty lines": "\n" * (MOST_LINES - 20) + spec(),
    "carriage returns": "a: 1\r" * MOST_LINES,
    "percent signs": "%" * MEGABYTE,
    # numbers
    "an integer of a million digits": spec() + "seed: " + "9" * 900_000 + "\n",
    "a quoted integer of a million digits": spec() + "seed: '" + "9" * 900_000 + "'\n",
    "a quoted rate of a million digits": spec(training=TRAINING.replace("0.1", "'" + "9" * 900_000 + "'")),
    "an exponent of a million digits": spec(training=TRAINING.replace("0.1", "1e" + "9" * 900_000)),
    "underscores": spec() + "seed: " + "1_" * 450_000 + "\n",
    "hexadecimal digits": spec() + "seed: 0x" + "f" * 900_000 + "\n",
    "units beyond any memory": spec(LAYERS.replace("10", "9" * 99)),
    "a minibatch beyond any memory": spec(training=TRAINING.replace("100", "9" * 99)),
    # characters
    "emoji": "name: '" + "\U0001f600" * 250_000 + "'\n",
    "combining characters": "name: 'a" + "\u0301" * 500_000 + "'\n",
    "right-to-left marks": "name: '" + "\u202e" * 300_000 + "'\n",
    # variables
    "dollars": "name: '" + "$" * MEGABYTE + "'\n",
    "variables that double": "vars:\n  a0: [x]\n" + "".join(f"  a{i}: [$a{i - 1}, $a{i - 1}]\n" for i in range(1, 20)),
    "a chain of variables": "vars:\n" + "".join(f"  v{i}: $v{i + 1}\n" for i in range(4_900)) + "name: $v0\n",
    "a long list, often": "vars:\n  a: [" + "1," * 4_000 + "]\nlayers: [" + "$a," * 3_000 + "]\n",
    "a long text, often": "vars:\n  a: " + "x" * 900_000 + "\nlayers: [" + "$a," * 5_000 + "]\n",
    "a long name of a variable": "vars: {a: 1}\nlayers: [$" + "a" * 900_000 + "]\n",
}


def expect_short(error: SpecError, path: Path) -> None:
    assert len(error.faults) <= 100
    assert len(str(error).replace(str(path), path.name)) < 50_000  # where the file lies is no matter of the bomb's


def checked(path: Path, overrides: Any = ()) -> Any:
    try:
        return check(read_spec(path, overrides=overrides))
    except SpecError as error:
        expect_short(error, path)
        raise


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


LIKE_OTHERS = {
    "copies, often",
    "five thousand copies",
    "losses",
    "misspelt layers",
    "misspelt variables",
    "one layer name",
    "one metric",
    "quotes",
    "tabs",
    "three thousand shapes",
}
"""Specs that take seconds, and cost what another one costs."""


@pytest.mark.parametrize(
    "bomb", [pytest.param(bomb, marks=[pytest.mark.fuzz] if bomb in LIKE_OTHERS else []) for bomb in BOMBS]
)
def test_a_spec(tmp_path: Path, bomb: str) -> None:
    campaign(checked, [BOMBS[bomb].encode()], tmp_path / "bomb.yaml", may_accept=bool, names_file=False)


def test_a_spec_in_a_deep_folder(tmp_path: Path) -> None:
    path = tmp_path.joinpath(*["d" * 200] * 10, "bomb.yaml")
    path.parent.mkdir(parents=True)
    campaign(checked, [BOMBS["misspelt keys"].encode()], path, names_file=False)


CHAIN = (
    HEAD
    + "vars:\n  a: $a\n"
    + "".join(f"  v{i}: $v{i + 1}\n" for i in range(4_900))
    + LAYERS
    + TRAINING.replace("{sgd: {learning_rate: 0.1}}", "$v0")
)
OVERRIDES = {
    "a long value": (spec(), ["training.sampling=" + "x" * 2 * MEGABYTE]),
    "a long number": (spec(), ["training.batch_size=" + "9" * MEGABYTE]),
    "a long key": (spec(), ["x" * MEGABYTE + "=3"]),
    "a deep key": (spec(), [".".join("x" * MEGABYTE) + "=3"]),
    "a deep key with a deep value": (spec(), [".".join("abcdefghijklmnopqrs") + "=" + "[" * 19 + "]" * 19]),
    "a wide value": (spec(), ["layers=[" + "Relu," * 200_000 + "]"]),
    "wide values": (spec(), [f"k{i}=[{'1,' * 5_000}]" for i in range(200)]),
    "many": (spec(), ["training.batch_size=3"] * 20_000),
    "many that are wrong": (spec(), ["layers.Afine1.units=3"] * 5_000),
    "many keys": (spec(), [f"k{i}=3" for i in range(20_000)]),
    "a chain of variables": (CHAIN, ["training.optimizer.learning_rate=3"] * 100),
    "a circle of variables": (
        CHAIN.replace("$v0\n  batch", "$a\n  batch"),
        ["training.optimizer.learning_rate=3"] * 100,
    ),
    "a wide variable": (
        spec("layers: $a\n", head=HEAD + "vars:\n  a: [" + "Relu, " * 9_000 + "]\n"),
        [f"layers.Relu{i}.x=3" for i in range(1, 200)],
    ),
}


@pytest.mark.parametrize("bomb", OVERRIDES)
def test_overrides(tmp_path: Path, bomb: str) -> None:
    text, overrides = OVERRIDES[bomb]
    campaign(
        lambda path: checked(path, overrides), [text.encode()], tmp_path / "b.yaml", may_accept=bool, names_file=False
    )


def chain_of(files: int, content: str) -> None:
    """Write files that each extend the next."""
    for i in range(files):
        extends = f"extends: e{i + 1}.yaml\n" if i + 1 < files else ""
        Path(f"e{i}.yaml").write_text(extends + content.format(i))


@pytest.mark.parametrize(
    ("files", "content", "message"),
    [
        (11, "vars: {{" + ", ".join(f"k{{0}}_{j}: 1" for j in range(4_900)) + "}}\n", "more than 10,000 values"),
        (11, "a: " + "{{x: " * 15 + "k{0}" + "}}" * 15 + "\n", "missing key 'mlpkit'"),
        (11, "# " + LONG + "\n", "nothing but comments"),
    ],
)
def test_a_chain_of_files(tmp_path: Path, files: int, content: str, message: str) -> None:
    chain_of(files, content)
    first = Path("e0.yaml").read_bytes()
    campaign(checked, [first], tmp_path / "e0.yaml", names_file=False)
    with pytest.raises(SpecError, match=message):
        check(read_spec("e0.yaml"))


def test_a_chain_may_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for other in ("pipe", "/dev/zero", "/dev/random", "/dev/tty"):
        Path("a.yaml").write_text(f"extends: {other}\n")
        with pytest.raises(SpecError, match=r"is not a regular file|can't be read|there is no file"):
            check(read_spec("a.yaml"))
