"""The live page from the command line: its address, its port, and what it leaves alone."""

from __future__ import annotations

import re
import signal
import socket
import sys
import urllib.request
from itertools import islice

import pytest

from mlpkit.groups.several_runs import shared_out
from mlpkit.verbs.live import server


def address_in(text):
    return re.search(r"^live page: (http://127\.0\.0\.1:(\d+)/[\w-]+/)$", text, re.MULTILINE)


@pytest.mark.parametrize(
    "arguments",
    [("--live", "tiny.yaml"), ("tiny.yaml", "--live"), ("tiny.yaml", "--live", "0"), ("--live=0", "tiny.yaml")],
)
def test_the_port_may_be_left_out_wherever_the_option_stands(arguments, invoke):
    done = invoke("run", *arguments, "--out", "run")
    assert (done.code, bool(address_in(done.err))) == (0, True)
    assert "live page" not in done.out


def test_a_port_that_is_taken_is_named_and_the_run_goes_on(invoke):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = invoke("run", "tiny.yaml", "--out", "run", "--live", port)
    assert done.code == 0
    assert f"warning: port {port} can't be used: Address already in use; the live page uses another one" in done.err
    assert address_in(done.err)[2] != str(port)
    assert "saved in run" in done.out


def test_a_port_that_can_be_had_is_used(invoke):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert address_in(invoke("run", "tiny.yaml", "--out", "run", "--live", port).err)[2] == str(port)


@pytest.mark.parametrize(("setting", "names"), [("seeds=2", ["seed-0", "seed-1"]), ("ensemble.members=2", ["0", "1"])])
def test_several_networks_are_shown_on_one_page(setting, names, invoke, monkeypatch):
    shown, runs_in = [], server.FolderRuns
    monkeypatch.setattr(server, "FolderRuns", lambda folder: shown.append(folder) or runs_in(folder))
    done = invoke("run", "tiny.yaml", "--set", setting, "--out", "run", "--live")
    assert (done.code, bool(address_in(done.err))) == (0, True)
    (folder,) = shown
    assert [run.name for run in runs_in(folder).runs()] == names


@pytest.mark.parametrize("port", ["65536", "99999999"])
def test_a_number_that_is_no_port_is_wrong_usage(port, invoke):
    done = invoke("run", "tiny.yaml", "--live", port)
    assert done.code == 2
    assert "is not in the range 0<=x<=65535" in done.err


def test_without_what_draws_charts_the_error_has_the_command(invoke, monkeypatch, cwd):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    done = invoke("run", "tiny.yaml", "--out", "run", "--live")
    assert done.code == 2
    assert 'need vl-convert; install it with: pip install "mlpkit[plot]"' in done.err
    assert not (cwd / "run").exists()


def test_the_live_page_is_not_loaded_unless_it_is_asked_for(invoke, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlpkit.verbs.live.server", None)
    assert invoke("run", "tiny.yaml", "--out", "run").code == 0


def test_several_seeds_are_stopped_from_their_page(started, forever, cwd):
    process = started("run", "tiny.yaml", *forever, "--seeds", "2", "--out", "run", "--live")
    address = address_in(process.stderr.readline())[1]
    host = address.rpartition("/")[0].rpartition("/")[0]
    at_once, _ = shared_out(2, threads=1)
    with urllib.request.urlopen(f"{address}events", timeout=60) as stream:
        assert any(f"2 runs, {at_once} of them running" in line.decode() for line in islice(stream, 1000))
    urllib.request.urlopen(
        urllib.request.Request(f"{address}stop", method="POST", headers={"Origin": host}), timeout=60
    )
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert len(list(cwd.glob("run/*/checkpoints/*.safetensors"))) == at_once


def test_runs_in_a_folder_are_shown_until_ctrl_c(started, invoke):
    invoke("run", "tiny.yaml", "--out", "runs/a")
    process = started("live", "runs")
    address = address_in(process.stderr.readline())[1]
    with urllib.request.urlopen(f"{address}events", timeout=60) as stream:
        assert '"Finished"' in stream.readline().decode()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_a_folder_that_is_not_there(invoke):
    done = invoke("live", "nowhere")
    assert done.code == 2
    assert done.err.startswith("error: nowhere: is not a folder; give a run folder, or one that holds run folders")
