"""Measures ``mlpkit serve`` against bare Starlette, FastAPI with onnxruntime, and MLServer, in one run.

Run it as ``python benchmarks/serve.py --peers PYTHON``, where PYTHON is the Python of an environment with fastapi,
onnxruntime, mlserver and mlserver-sklearn; without it, only Starlette is compared. Each client sends a row of its own
over one connection, and compares all answers; rounds alternate between the servers. It prints JSON: for each server and
number of connections the medians over the rounds. MLServer gets the three numbers as a tensor, since its scikit-learn
runtime can't take a row with a text."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from statistics import median

from serving.clients import Load, load, request

import mlpkit
from mlpkit.specfile.shipped_specs import shipped_specs

HERE = Path(__file__).parent / "serving"
LOANS = files("mlpkit_plugins.datasets") / "example_files" / "loans.csv"
PORTS = {"starlette": 8201, "mlpkit": 8202, "fastapi + onnxruntime": 8203, "mlserver": 8204}


def rows(count: int) -> list[dict[str, object]]:
    """Return rows that all differ."""
    purposes = ("car", "kitchen", "travel, gifts")
    return [
        {"amount": 1 + i / 7, "income": 10 + i, "years_in_job": i % 20, "purpose": purposes[i % 3]}
        for i in range(count)
    ]


def requests_to(server: str, count: int) -> list[bytes]:
    """Return a request for each client."""
    if server != "mlserver":
        return [request("/predict", json.dumps([row]).encode()) for row in rows(count)]
    numbers = [[float(str(row[name])) for name in ("amount", "income", "years_in_job")] for row in rows(count)]
    bodies = [
        {"id": "1", "inputs": [{"name": "x", "datatype": "FP64", "shape": [1, 3], "data": each}]} for each in numbers
    ]
    return [request("/v2/models/loans/infer", json.dumps(body).encode()) for body in bodies]


def commands(folder: Path, peers: str | None) -> dict[str, list[str]]:
    """Return the command that starts each server, after a training."""
    run = folder / "loans"
    mlpkit.run(mlpkit.load_spec(shipped_specs()["loans"]), directory=run, quiet=True)
    own, ports = [sys.executable], {name: str(port) for name, port in PORTS.items()}
    found = {
        "starlette": [*own, str(HERE / "bare_starlette.py"), ports["starlette"]],
        "mlpkit": [*own, "-m", "mlpkit", "serve", str(run), "--port", ports["mlpkit"]],
    }
    if peers is None:
        return found
    onnx = str(folder / "loans.onnx")
    subprocess.run([*own, "-m", "mlpkit", "export", str(run), "--to", onnx], check=True, stdout=subprocess.DEVNULL)
    found["fastapi + onnxruntime"] = [peers, str(HERE / "fastapi_onnxruntime.py"), ports["fastapi + onnxruntime"], onnx]
    settings = [str(folder / "mlserver"), str(LOANS)]
    subprocess.run([peers, str(HERE / "mlserver_sklearn.py"), *settings], check=True)
    found["mlserver"] = [str(Path(peers).with_name("mlserver")), "start", str(folder / "mlserver")]
    return found


@contextlib.contextmanager
def started(starts: dict[str, list[str]]) -> Iterator[dict[str, int]]:
    """Start servers, wait until they answer, and return their process ids until the end of the block."""
    first, own = PORTS["mlserver"], {"MLSERVER_HOST": "127.0.0.1"}
    own["MLSERVER_PARALLEL_WORKERS"] = "0"  # its worker processes need an older uvloop
    for number, kind in enumerate(("HTTP", "GRPC", "METRICS")):
        own[f"MLSERVER_{kind}_PORT"] = str(first + number)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": os.environ | own}
    processes = {name: subprocess.Popen(command, **quiet) for name, command in starts.items()}  # type: ignore[call-overload]
    try:
        for name in starts:
            _wait_for(name)
        yield {name: process.pid for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait()


def _wait_for(name: str) -> None:
    head, _, body = requests_to(name, 1)[0].partition(b"\r\n\r\n")
    address = f"http://127.0.0.1:{PORTS[name]}{head.split()[1].decode()}"
    asked = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    for _ in range(600):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(asked).read()
            return
        time.sleep(0.2)
    raise SystemExit(f"{name} doesn't answer")


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="the Python of an environment with FastAPI, onnxruntime and MLServer")
    parser.add_argument("--seconds", type=float, default=5, help="of each load")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 64])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, started(commands(Path(folder), options.peers)) as pids:
        for count in options.connections:
            found: dict[str, list[Load]] = {name: [] for name in pids}
            for _ in range(options.rounds):
                for name, pid in pids.items():
                    found[name].append(load(PORTS[name], pid, requests_to(name, count), options.seconds))
            for name, loads in found.items():
                medians = {key: round(median(getattr(each, key) for each in loads), 2) for key in Load._fields}
                medians["wrong"] = sum(each.wrong for each in loads)
                print(json.dumps({"connections": count, "server": name, **medians}), flush=True)


if __name__ == "__main__":
    main()
