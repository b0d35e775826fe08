from __future__ import annotations

import pytest
from requirements import require_package
from served import serving

import mlpkit
from mlpkit.specfile.shipped_specs import shipped_specs

SHORT = {"training.iterations": 20, "training.evaluate_every": 20}


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Return a folder with runs: two classes, labels, a value with intervals, arrays, and missing values."""
    folder = tmp_path_factory.mktemp("served")
    changes = {
        "loans": {},
        "weather": {},
        "houses": {"coverage": 0.8},
        "shapes_npz": {},
        "flowers": {"data.csv.missing": "fill"},
    }
    for name, own in changes.items():
        spec = mlpkit.load_spec(shipped_specs()[name], overrides={**SHORT, **own})
        mlpkit.run(spec, directory=folder / name, quiet=True)
    return folder


@pytest.fixture(scope="session")
def server(runs, environment):
    """Return a server of all runs, of loans in two versions."""
    require_package("uvicorn")
    names = ("loans", "weather", "houses", "shapes_npz", "flowers", "loans")
    with serving(*names, "--drift", cwd=runs, env=environment) as found:
        yield found
