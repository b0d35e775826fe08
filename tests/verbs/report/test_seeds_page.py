"""The page of several seeds of which some runs are not finished."""

import json

import pytest
from run_folders import made_up_run

import mlpkit

RESULTS = {"test": {"loss": 0.25}}


@pytest.mark.parametrize(("finished", "means"), [(0, 0), (1, 1)])
def test_it_says_how_to_go_on_with_the_others(tmp_path, finished, means):
    folder = tmp_path / "my seeds"
    for seed in range(2):
        made_up_run(folder / f"seed-{seed}", seed=seed, results=RESULTS if seed < finished else None)
    (folder / "seeds.json").write_text(json.dumps({"seeds": [0, 1, 2]}))

    text = mlpkit.report(folder).read_text("utf-8")

    assert text.count("At the end, over the seeds</caption>") == means
    others = "seeds 0, 1, 2" if finished == 0 else "seeds 1, 2"
    assert f"Not finished: {others}; unless they are still training, resume them with:" in text
    assert f"mlpkit resume &#x27;{folder}&#x27;" in text
