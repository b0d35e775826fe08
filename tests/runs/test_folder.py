"""A run folder is made once, has one writer, and gives back what was written."""

from __future__ import annotations

import errno
import math
import os
import shlex
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlpkit.errors import ModelFileError, RunFolderError, StorageError
from mlpkit.runs.folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    with RunFolder.create(tmp_path / "runs" / "x") as made:
        yield made


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(RunFolderError) as raised:
        act()
    return str(raised.value)


def test_create_makes_parents(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "a" / "b" / "c") as folder:
        assert folder.directory == tmp_path / "a" / "b" / "c"
        assert folder.directory.is_dir()


def test_an_empty_folder_is_fine_also_one_that_a_run_left_empty(tmp_path: Path) -> None:
    RunFolder.create(tmp_path).close()
    RunFolder.create(tmp_path).close()


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text("x")
    assert refusal(lambda: RunFolder.create(tmp_path)) == (
        f"{tmp_path}: holds history.jsonl already; choose another folder"
    )
    for number in range(6):
        (tmp_path / f"{number}.txt").touch()
        if number == 3:
            assert "holds 0.txt, 1.txt, 2.txt, 3.txt, history.jsonl already;" in refusal(
                lambda: RunFolder.create(tmp_path)
            )
    assert refusal(lambda: RunFolder.create(tmp_path)) == (
        f"{tmp_path}: holds 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more already; choose another folder"
    )
    assert len(list(tmp_path.iterdir())) == 7


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("file", "dangling"):
        assert refusal(lambda name=name: RunFolder.create(tmp_path / name)) == (  # type: ignore[misc]
            f"{tmp_path / name}: is not a folder; choose another name"
        )
    assert "can't be the name of a folder" in refusal(lambda: RunFolder.create(tmp_path / "a\0b"))


def test_a_folder_that_may_not_be_listed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    message = f"{tmp_path}: can't be listed: Permission denied; check the path and who may read it"
    assert refusal(lambda: RunFolder.create(tmp_path)) == message
    assert refusal(lambda: RunFolder.open(tmp_path)) == message


def test_what_cannot_be_made_is_reported(tmp_path: Path, failing: Any) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError) as raised:
        RunFolder.create(tmp_path / "file" / "x")
    assert str(raised.value) == (
        f"{tmp_path / 'file' / 'x'}: can't be made: Not a directory; "
        "a part of the path is a file; choose another folder"
    )
    failure = OSError(errno.EROFS, "Read-only file system")
    with failing("mkdir", failure), pytest.raises(StorageError, match="can't be made: Read-only file system; "):
        RunFolder.create(tmp_path / "x")


def test_a_run_that_came_and_went_between_look_and_claim_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RunFolder.claim

    def late(folder: RunFolder) -> None:
        (folder.directory / "spec.yaml").touch()
        real(folder)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "claim", late)
        assert "holds a run already; resume it with mlpkit resume" in refusal(lambda: RunFolder.create(tmp_path))
    RunFolder.open(tmp_path).claim()


def test_next_free_counts_up_and_leaves_an_empty_folder(tmp_path: Path) -> None:
    parent = tmp_path / "runs"
    paths = [RunFolder.next_free(parent, "mnist") for _ in range(3)]
    assert paths == [parent / "mnist", parent / "mnist-2", parent / "mnist-3"]
    with RunFolder.create(paths[1]):
        assert RunFolder.next_free(parent, "mnist") == parent / "mnist-4"


def test_next_free_passes_over_files(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    (tmp_path / "x-2").symlink_to("nowhere")
    assert RunFolder.next_free(tmp_path, "x") == tmp_path / "x-3"


NEXT_FREE = """
import pathlib, sys
from mlpkit.runs.folder import RunFolder
sys.stdin.read()
for _ in range(40):
    print(RunFolder.next_free(pathlib.Path(sys.argv[1]), "x").name)
"""


def test_no_two_processes_get_the_same_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NEXT_FREE, str(tmp_path)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    names = [name for process in processes for name in process.communicate()[0].split()]
    assert sorted(names) == sorted(["x", *(f"x-{number}" for number in range(2, 81))])


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", "a\0"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(lambda: RunFolder.next_free(tmp_path, name)) == (
        f"{name!r} can't be the name of a folder; choose another name, or a folder with --out"
    )


def test_next_free_reports_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(StorageError) as raised:
        RunFolder.next_free(tmp_path / "runs", "x")
    assert str(raised.value) == (
        f"{tmp_path / 'runs' / 'x'}: can't be made: File exists; a file is in the way; choose another folder"
    )


@pytest.mark.parametrize("name", ["spec.yaml", "resolved.yaml"])
def test_open_takes_a_folder_with_a_spec_and_leaves_it_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert RunFolder.open(tmp_path).directory == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_open_says_what_it_found_instead_of_a_run(tmp_path: Path) -> None:
    usual = "expected the folder of a run, such as runs/mnist_3layer"
    missing = tmp_path / "x"
    assert refusal(lambda: RunFolder.open(missing)) == f"{missing}: no such folder; {usual}"
    assert refusal(lambda: RunFolder.open(tmp_path)) == (
        f"{tmp_path}: is not a run folder: it holds nothing; expected resolved.yaml or spec.yaml"
    )
    missing.touch()
    assert refusal(lambda: RunFolder.open(missing)) == f"{missing}: is not a folder; {usual}"
    run = tmp_path / "a"
    run.mkdir()
    (run / "spec.yaml").touch()
    model = run / "model.safetensors"
    model.touch()
    assert refusal(lambda: RunFolder.open(model)) == f"{model}: is not a folder; {usual}"
    assert refusal(lambda: RunFolder.open(tmp_path)) == (
        f"{tmp_path}: is not a run folder: it holds a, x; expected resolved.yaml or spec.yaml; run folders in it: {run}"
    )
    (tmp_path / "churn").mkdir()
    assert refusal(lambda: RunFolder.open(tmp_path / "chrn")) == f"{tmp_path / 'chrn'}: no such folder; {usual}"
    (tmp_path / "churn/spec.yaml").touch()
    assert refusal(lambda: RunFolder.open(tmp_path / "chrn")) == (
        f"{tmp_path / 'chrn'}: no such folder; did you mean '{tmp_path}/churn'?"
    )
    (tmp_path / "churn/spec.yaml").unlink()
    (tmp_path / "churn").rmdir()
    seeds = tmp_path / "b"
    seeds.mkdir()
    (seeds / "seeds.json").touch()
    assert refusal(lambda: RunFolder.open(tmp_path)).endswith(f"; run folders in it: {run}, {seeds}")
    long = tmp_path / ("x" * 300)
    with pytest.raises(RunFolderError, match=r"File name too long|no such folder"):
        RunFolder.open(long)
    with pytest.raises(RunFolderError, match="no such folder"):
        RunFolder.open(tmp_path / "a\0b")


WRITE = """
import pathlib, sys
from mlpkit.runs.folder import RunFolder
folder = RunFolder.open(pathlib.Path(sys.argv[1]))
print(len(folder.read_history()), flush=True)
try:
    folder.append("history.jsonl", {"iteration": 9, "epoch": 0.5})
except Exception as error:
    print(type(error).__name__, error)
"""


def other_process(folder: RunFolder) -> str:
    command = [sys.executable, "-c", WRITE, str(folder.directory)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_another_process_may_read_but_not_write_until_this_one_closes(folder: RunFolder) -> None:
    folder.write_spec("mlpkit: 1\n")
    folder.append("history.jsonl", {"iteration": 1, "epoch": 0.5})
    assert other_process(folder) == (
        f"1\nRunFolderError {folder.directory}: process {os.getpid()} is writing to it; wait until that is done\n"
    )
    folder.close()
    assert other_process(folder) == "1\n"
    assert folder.read_history() == [{"iteration": 1, "epoch": 0.5}, {"iteration": 9, "epoch": 0.5}]


WRITES: dict[str, Callable[[RunFolder], object]] = {
    "spec": lambda folder: folder.write_spec(""),
    "resolved": lambda folder: folder.write_resolved(""),
    "lock": lambda folder: folder.write_lock({}),
    "metrics": lambda folder: folder.write_metrics({}),
    "failure": lambda folder: folder.write_failure("failed", 3, "no room"),
    "history": lambda folder: folder.append("history.jsonl", {}),
    "histories": lambda folder: folder.write_history([]),
    "timing": lambda folder: folder.append("timing.jsonl", {}),
    "model": lambda folder: folder.save_model({}, {}),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_every_way_to_write_asks_for_the_lock(folder: RunFolder, write: Callable[[RunFolder], object]) -> None:
    second = RunFolder(folder.directory)
    assert "this process is writing to it" in refusal(lambda: write(second))
    folder.close()
    with second:
        write(second)
        assert "this process is writing to it" in refusal(folder.claim)
    folder.claim()


def test_what_was_written_is_read(folder: RunFolder) -> None:
    folder.write_spec("name: ä  # as written\r\n")
    folder.write_resolved("name: ä\n")
    folder.write_lock({"plugins": {"mlpkit": "0.1"}, "data_checksum": None})
    folder.write_metrics({"test": {"loss": 0.1, "accuracy": 1.0}})
    folder.append("history.jsonl", {"iteration": 1, "epoch": 0.5, "train_loss": 0.1})
    folder.append("history.jsonl", {"iteration": 2, "epoch": 0.5, "train_loss": 1 / 3})
    folder.append("timing.jsonl", {"iteration": 1, "seconds": 0.5})
    folder.save_model({"Affine1.W": np.ones((2, 3), np.float32)}, {"spec": {}})

    read = RunFolder.open(folder.directory)
    assert read.resolved_text() == "name: ä\n"
    assert read.read_lock() == {"plugins": {"mlpkit": "0.1"}, "data_checksum": None}
    assert read.read_metrics() == {"test": {"loss": 0.1, "accuracy": 1.0}}
    assert read.read_history() == [
        {"iteration": 1, "epoch": 0.5, "train_loss": 0.1},
        {"iteration": 2, "epoch": 0.5, "train_loss": 1 / 3},
    ]
    model = read.load_model()
    assert model.metadata == {"spec": {}}
    assert model.arrays["Affine1.W"].tolist() == [[1, 1, 1], [1, 1, 1]]

    def content(name: str) -> bytes:
        return (folder.directory / name).read_bytes()

    assert content("spec.yaml") == "name: ä  # as written\r\n".encode()
    assert content("timing.jsonl") == b'{"iteration":1,"seconds":0.5}\n'
    assert content("history.jsonl").splitlines()[0] == b'{"iteration":1,"epoch":0.5,"train_loss":0.1}'
    assert content("lock.json") == (b'{\n  "data_checksum": null,\n  "plugins": {\n    "mlpkit": "0.1"\n  }\n}\n')
    assert content("metrics.json") == (b'{\n  "test": {\n    "accuracy": 1.0,\n    "loss": 0.1\n  }\n}\n')


@pytest.mark.parametrize("write", ["history", "model"])
def test_a_folder_is_discarded_only_if_nothing_of_a_training_is_in_it(folder: RunFolder, write: str) -> None:
    for name in ("spec", "resolved", "lock", "timing", "failure"):
        WRITES[name](folder)
    folder.discard_if_unused()
    assert not folder.directory.exists()

    with RunFolder.create(folder.directory) as again:
        WRITES["spec"](again)
        WRITES[write](again)
        kept = sorted(again.directory.iterdir())
        again.discard_if_unused()
        assert sorted(again.directory.iterdir()) == kept


def test_a_folder_with_files_of_others_is_not_discarded(folder: RunFolder) -> None:
    folder.write_spec("")
    (folder.directory / "notes.txt").touch()
    folder.discard_if_unused()
    assert [path.name for path in folder.directory.iterdir()] == ["notes.txt"]


def test_write_history_replaces_what_was_there(folder: RunFolder) -> None:
    for iteration in range(3):
        folder.append("history.jsonl", {"iteration": iteration, "epoch": 0.5})
    folder.write_history(folder.read_history()[:2])
    folder.append("history.jsonl", {"iteration": 5, "epoch": 0.5})
    assert [record["iteration"] for record in folder.read_history()] == [0, 1, 5]


@pytest.mark.parametrize("name", ["spec.yaml", "resolved.yaml", "lock.json", "metrics.json", "model.safetensors"])
def test_a_failed_write_leaves_the_earlier_file(folder: RunFolder, failing: Any, name: str) -> None:
    writes = dict(zip(["spec.yaml", "resolved.yaml", "lock.json", "metrics.json"], WRITES.values(), strict=False))
    write = {**writes, "model.safetensors": WRITES["model"]}[name]
    write(folder)
    path = folder.directory / name
    path.write_bytes(b"earlier")
    with failing("fsync", OSError(errno.EIO, "Input/output error")), pytest.raises(StorageError, match=str(path)):
        write(folder)
    assert path.read_bytes() == b"earlier"
    assert sorted(file.name for file in folder.directory.iterdir()) == sorted([".lock", name])


def test_numbers_that_are_not_finite_are_refused(folder: RunFolder) -> None:
    folder.append("history.jsonl", {"iteration": 1, "epoch": 0.5})
    for write, name in [
        (folder.write_metrics, "metrics.json"),
        (folder.write_lock, "lock.json"),
        (partial(folder.append, "history.jsonl"), "history.jsonl"),
        (partial(folder.append, "timing.jsonl"), "timing.jsonl"),
        (lambda record: folder.write_history([record]), "history.jsonl"),
    ]:
        with pytest.raises(StorageError) as raised:
            write({"loss": math.nan})
        path = folder.directory / name
        assert str(raised.value).startswith(f"{path}: can't be written: loss is nan, and JSON has only finite")
    assert folder.read_history() == [{"iteration": 1, "epoch": 0.5}]


def test_what_a_run_has_not_written_yet_is_named(folder: RunFolder) -> None:
    assert folder.read_history() == []
    for read, name in [(folder.resolved_text, "resolved.yaml"), (folder.read_lock, "lock.json")]:
        assert refusal(read) == f"{folder.directory}: holds no {name}; restore it from a copy, or start a new run"
    unfinished = [(folder.read_metrics, "metrics.json"), (folder.load_model, "model.safetensors")]
    for read, name in unfinished:
        advice = f"start a new run: mlpkit run {folder.directory}/resolved.yaml"
        assert refusal(read) == f"{folder.directory}: holds no {name}: the run is not finished; {advice}"
    folder.checkpoints.save(1, {}, {}, keep=1)
    for read, name in unfinished:
        advice = f"resume it with: mlpkit resume {folder.directory}"
        assert refusal(read) == f"{folder.directory}: holds no {name}: the run is not finished; {advice}"


def test_advice_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "my run") as folder:
        assert shlex.split(folder.resume_hint)[-1] == f"{folder.directory}/resolved.yaml"
        with pytest.raises(RunFolderError) as raised:
            folder.checkpoints.load_newest(print)
        assert shlex.split(str(raised.value).partition(": mlpkit ")[2]) == ["run", f"{folder.directory}/resolved.yaml"]
        folder.checkpoints.save(1, {}, {}, keep=1)
        assert shlex.split(folder.resume_hint)[-2:] == ["resume", str(folder.directory)]


def test_damage_is_named(folder: RunFolder) -> None:
    repair = "restore the file from a copy, or repeat the run"
    for read, name, content, fault in [
        (folder.resolved_text, "resolved.yaml", b"\xff", "'utf-8' codec can't decode byte 0xff"),
        (folder.read_lock, "lock.json", b"{", "Expecting property name"),
        (folder.read_metrics, "metrics.json", b"[1]\n", "expected a JSON object"),
    ]:
        path = folder.directory / name
        path.write_bytes(content)
        message = refusal(read)
        assert message.startswith(f"{path}: is damaged: {fault}")
        assert message.endswith(repair)
        path.unlink()
        path.mkdir()
        assert refusal(read) == f"{path}: can't be read: Is a directory; check the path and who may read it"
    (folder.directory / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelFileError, match="is damaged"):
        folder.load_model()


def test_a_folder_removed_meanwhile_is_reported(folder: RunFolder) -> None:
    folder.directory.rename(folder.directory.with_name("moved"))
    with pytest.raises(StorageError, match="No such file or directory; check that its folder still exists"):
        folder.write_metrics({})
    with pytest.raises(StorageError, match="No such file or directory; check that its folder still exists"):
        folder.append("history.jsonl", {})


def test_rewind_goes_back_to_a_checkpoint(folder: RunFolder) -> None:
    for iteration in (2, 4, 6):
        folder.append("history.jsonl", {"iteration": iteration, "epoch": 0.5})
        folder.append("timing.jsonl", {"iteration": iteration, "seconds": iteration / 7})
    with (folder.directory / "timing.jsonl").open("ab") as timing:
        timing.write(b'{"iteration":8,"sec')
    folder.checkpoints.save(4, {"x": np.zeros(1)}, {}, keep=1)
    for place in (folder.directory, folder.checkpoints.directory):
        (place / ".mlpkit-00.tmp").touch()
    folder.rewind([{"iteration": 2, "epoch": 0.5}, {"iteration": 4, "epoch": 0.5}])
    assert folder.read_history() == [{"iteration": 2, "epoch": 0.5}, {"iteration": 4, "epoch": 0.5}]
    assert (folder.directory / "timing.jsonl").read_text() == "".join(
        f'{{"iteration":{iteration},"seconds":{iteration / 7}}}\n' for iteration in (2, 4)
    )
    assert not list(folder.directory.rglob("*.tmp"))


def test_a_run_is_finished_when_its_metrics_are_written(folder: RunFolder) -> None:
    assert not folder.finished
    folder.write_metrics({})
    assert folder.finished


def test_a_folder_with_a_checkpoint_is_not_discarded(folder: RunFolder) -> None:
    folder.checkpoints.save(1, {"x": np.zeros(1)}, {}, keep=1)
    folder.discard_if_unused()
    assert folder.checkpoints.steps() == [1]


@pytest.mark.parametrize(
    "metrics", [{"test": 0}, {"test": {"loss": "0.5"}}, {"test": {"loss": True}}, {"test": {"t": [1]}}]
)
def test_metrics_that_are_none_are_named(folder: RunFolder, metrics: dict[str, object]) -> None:
    folder.write_metrics(metrics)
    with pytest.raises(RunFolderError, match=r"metrics\.json: is damaged: expected loss and metrics by split"):
        folder.read_metrics()


@pytest.mark.parametrize("record", [{"iteration": 1}, {"iteration": 1.5, "epoch": 1}, {"iteration": 1, "epoch": "1"}])
def test_evaluations_that_are_none_are_named_with_their_line(folder: RunFolder, record: dict[str, object]) -> None:
    folder.append("history.jsonl", {"iteration": 1, "epoch": 0.5})
    folder.append("history.jsonl", record)
    with pytest.raises(RunFolderError, match=r"history\.jsonl:2: is damaged: expected "):
        folder.read_history()


@pytest.mark.parametrize(
    ("lock", "expected"),
    [
        ({"plugins": [], "environment": "x"}, "plugins and as environment"),
        ({"plugin_files": None}, "plugin_files"),
        ({"requires": 3, "continues": {"run": "x", "step": "7"}}, "requires and as continues"),
        ({"continues": {"step": 7}}, "continues"),
    ],
)
def test_a_lock_file_with_other_things_in_it_is_damaged(folder: RunFolder, lock: Any, expected: str) -> None:
    good = {"mlpkit": "0.1.0", "continues": {"run": "a", "step": 7}, "plugins": {}}
    folder.write_lock(good)
    assert folder.read_lock() == good
    folder.write_lock(lock)
    assert f"lock.json: is damaged: expected a mapping as {expected}; restore the file" in refusal(folder.read_lock)


def test_a_run_that_continues_another_takes_its_times_and_its_health(folder: RunFolder, tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "next") as following:
        following.append("timing.jsonl", {"iteration": 9})
        for name in ("timing.jsonl", "health.jsonl", "history.jsonl"):
            folder.append(name, {"iteration": 1})
            with (folder.directory / name).open("a") as log:
                log.write("damaged\n")
        following.copy_records(folder)
        for name in ("timing.jsonl", "health.jsonl"):
            assert (following.directory / name).read_text() == '{"iteration":1}\n'
        assert not (following.directory / "history.jsonl").exists()
        (folder.directory / "health.jsonl").unlink()
        following.copy_records(folder)
        assert (following.directory / "health.jsonl").exists()
