"""Times the training of several seeds, and of an ensemble: one network after the other, and as many as there are cores.

    python benchmarks/several_runs.py [seeds members] [--count 8] [--rounds 5] [--shape 50,32] [--steps N] [--json]

Each side is a whole ``mlpkit run``, which trains the same networks of 784-H-H-10 on MNIST in minibatches of B, with
``--workers 1`` or without. Both must have the same bits.
"""

from __future__ import annotations

import json
import statistics
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from processes import MLPKIT, finished
from report import add_names, parser_of, print_report
from rounds import interleaved, timed

from mlpkit.verbs.runs.compare import result_hashes

STEPS: Final = {(50, 32): 40_000, (50, 1000): 2000, (256, 1000): 400}
"""Units of a hidden layer and examples of a minibatch, and steps that take some two seconds."""
KINDS: Final = {"seeds": "seed-{}", "members": "members/{}"}
"""The run folders in the folder of the group."""
SIDES: Final = {"one after the other": ["--workers", "1"], "at once": []}


def spec_of(kind: str, count: int, shape: tuple[int, int], steps: int) -> dict[str, Any]:
    """Return the spec of a shape."""
    units, batch_size = shape
    hidden = [{"Affine": {"units": units}}, "Relu"]
    return {
        "mlpkit": 1,
        "data": "mnist",
        "layers": [*hidden, *hidden, {"Affine": {"units": 10}}, "SoftmaxWithLoss"],
        "training": {
            "optimizer": {"sgd": {"learning_rate": 0.1}},
            "batch_size": batch_size,
            "iterations": steps,
            "evaluate_every": steps,
            "metrics": ["accuracy"],
        },
        **({"seeds": count} if kind == "seeds" else {"ensemble": {"members": count}}),
    }


def measured(kind: str, count: int, shape: tuple[int, int], steps: int, rounds: int) -> dict[str, Any]:
    """Return the median seconds of both sides, and whether their results have the same bits."""
    hashes: dict[str, Any] = {}

    def train(side: str) -> dict[str, float]:
        with TemporaryDirectory() as name:
            spec, runs = Path(name) / "spec.json", Path(name) / "runs"  # JSON is YAML
            spec.write_text(json.dumps(spec_of(kind, count, shape, steps)))
            command = [*MLPKIT, "run", str(spec), "--out", str(runs), "--quiet", "--no-report"]
            seconds = timed(lambda: finished([*command, *SIDES[side]]))
            hashes[side] = [result_hashes(runs / KINDS[kind].format(number)) for number in range(count)]
        return seconds

    found = interleaved({side: partial(train, side) for side in SIDES}, rounds)
    medians = {
        side: {key: statistics.median(each[key] for each in times) for key in times[0]} for side, times in found.items()
    }
    one, several = hashes.values()
    return {"kind": kind, "shape": shape, "steps": steps, "sides": medians, "same_bits": one == several}


def main() -> int:
    """Time both kinds for each shape, and return 1 if bits differ."""
    parser = parser_of(__doc__, rounds=5)
    add_names(parser, "kinds", KINDS)
    parser.add_argument("--count", type=int, default=8, help="networks (default: %(default)s)")
    parser.add_argument("--shape", action="append", type=lambda text: tuple(map(int, text.split(","))), metavar="H,B")
    parser.add_argument("--steps", type=int, help="steps of a network (default: some two seconds)")
    options = parser.parse_args()
    found = [
        measured(kind, options.count, shape, options.steps or STEPS.get(shape, 1000), options.rounds)
        for kind in options.kinds
        for shape in options.shape or STEPS
    ]
    lines = []
    for each in found:
        lines.append(f"{options.count} {each['kind']}, H, B {each['shape']}, {each['steps']} steps")
        lines += [f"  {side:20}{times['seconds']:8.2f} s" for side, times in each["sides"].items()]
        lines.append(f"  results {'the same' if each['same_bits'] else 'DIFFERENT'}")
    print_report(options, {"count": options.count, "runs": found}, lines)
    return int(not all(each["same_bits"] for each in found))


if __name__ == "__main__":
    sys.exit(main())
