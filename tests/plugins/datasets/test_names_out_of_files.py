"""Names out of files reach no terminal raw: a real process checks data whose names hold escape sequences."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from requirements import Optional

pa = Optional("pyarrow")
pq = Optional("pyarrow.parquet")

HOSTILE = "b\x1b]0;title\x07\x1b[2J\rc\u202ed\u2066\u2028\x9be\u200f"
SHOWN = r"b\x1b]0;title\x07\x1b[2J\rc\u202ed\u2066\u2028\x9be\u200f"
SPEC = """\
mlpkit: 1
data: {data}
layers: [{{Affine: {{units: 2}}}}, SoftmaxWithLoss]
training: {{optimizer: sgd, batch_size: 1, iterations: 1}}
"""


def csv(rows):
    def write(folder):
        (folder / "x.csv").write_text(f'a,"{HOSTILE}",kind\n{rows}', newline="")

    return write


def categories(folder):
    (folder / "x.csv").write_text("a,n,kind\n1,1,p\n1,2,q\n1,3,p\n1,4,q\n")
    (folder / "y.csv").write_text(f'a,n,kind\n"{HOSTILE}",1,q\n', newline="")


def parquet(folder):
    pq.write_table(pa.table({"a": [1.0, 2.0], HOSTILE: [[1], [2]], "kind": ["p", "q"]}), folder / "x.parquet")


def npz(folder):
    np.savez(folder / "x.npz", **{HOSTILE: np.zeros(3)})


def images(folder):
    for name in (HOSTILE, "f"):
        (folder / "images" / name).mkdir(parents=True)
        Image.new("L", (3, 3)).save(folder / "images" / name / "1.png")
    (folder / "images" / HOSTILE / "2.txt").touch()


CASES = {
    "the name of a column with a wrong value": (csv("1,x,p\n2,3,q\n"), "{csv: {file: x.csv, target: kind}}"),
    "a class that occurs once": (
        csv(f'1,2,p\n1,2,p\n2,3,"{HOSTILE}"\n'),
        "{csv: {file: x.csv, target: kind, validation: 0, test: 0}}",
    ),
    "a category that training lacks": (
        categories,
        "{csv: {file: x.csv, target: kind, categorical: [a], validation: 0, test: y.csv}}",
    ),
    "the columns that there are": (csv("1,2,p\n2,3,q\n"), "{csv: {file: x.csv, target: none}}"),
    "a column of another type": (parquet, "{parquet: {file: x.parquet, target: kind}}"),
    "the arrays of an archive": (npz, "{npz: {file: x.npz}}"),
    "a folder of a class": (images, "{image_folder: {folder: images}}"),
}


@pytest.mark.parametrize(("write", "data"), CASES.values(), ids=CASES)
def test_what_check_prints_of_a_hostile_name_is_printable(tmp_path, write, data):
    write(tmp_path)
    (tmp_path / "spec.yaml").write_text(SPEC.format(data=data))
    command = [sys.executable, "-m", "mlpkit", "check", "spec.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    told = (done.stdout + done.stderr).decode()
    assert SHOWN in told.replace("\\\\", "\\"), told
    assert all(line.isprintable() for line in told.split("\n")), repr(told)
