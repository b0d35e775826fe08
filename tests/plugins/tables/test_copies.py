"""Equal rows: copies of an example stay in one split; what a table of few values repeats is split row by row."""

from __future__ import annotations

import collections
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlpkit
from mlpkit_plugins.datasets.csv import Csv

SHARES = {"validation": 0.1, "test": 0.2}


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    """Return a function that returns the rows of each split of a table, by their positions."""
    file = tmp_path_factory.mktemp("copies") / "t.csv"

    def split_of(rows, **options):
        header = [*(f"c{place}" for place in range(len(rows[0]) - 1)), "t"]
        file.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]) + "\n")
        texts = tuple(name for name, value in zip(header[:-1], rows[0], strict=False) if isinstance(value, str))
        dataset = Csv(str(file), "t", **{"categorical": texts, "unknown": "zeros", **SHARES, **options})
        found = {name: np.array(part.rows_in_file()) - 2 for name, part in dataset.open(0).items()}
        return found, dataset.warnings()

    return split_of


def rows_of_few_values(rng, rows, columns):
    """Return rows whose columns, some of them dependent on others, have two to four values; a class each."""
    values = [rng.choice(size := rng.integers(2, 5), rows, p=rng.dirichlet(np.full(size, 2.0))) for _ in range(columns)]
    for place in range(1, columns):
        same = rng.random(rows) < rng.random()
        values[place] = np.where(same, values[place - 1], values[place])
    score = sum(values[:2]) + rng.normal(0, 1, rows)
    kind = np.where(score > np.quantile(score, rng.uniform(0.3, 0.7)), "yes", "no")
    return [(*(f"v{value}" for value in row), k) for *row, k in zip(*values, kind, strict=True)]


def far_from_shares(found, kinds, least=0):
    """Return where the size of a split, or of a class in it, is off by more than half."""
    kinds = np.array(kinds)
    far = []
    for name, share in SHARES.items():
        rows = kinds[found[name]]
        pairs = [("all", len(rows), share * len(kinds))]
        pairs += [(kind, (rows == kind).sum(), share * (kinds == kind).sum()) for kind in np.unique(kinds)]
        far += [(name, *pair) for pair in pairs if abs(pair[1] - pair[2]) > max(pair[2] / 2, least)]
    return far


@given(st.integers(0, 2**32), st.integers(40, 400), st.integers(1, 5))
@settings(deadline=None, max_examples=25)
def test_each_class_has_its_share_in_each_split_of_a_table_of_few_values(split, seed, rows, columns):
    table = rows_of_few_values(np.random.default_rng(seed), rows, columns)
    found, warnings = split(table)
    assert sorted(np.concatenate(list(found.values())).tolist()) == list(range(rows))
    assert far_from_shares(found, [row[-1] for row in table], least=5.5) == []
    assert not any("aren't alike" in warning.message for warning in warnings)


@pytest.mark.parametrize("number", range(40))
def test_forty_tables_with_many_equal_rows(split, number):
    rng = np.random.default_rng(number)
    table = rows_of_few_values(rng, int(rng.integers(500, 1500)), int(rng.integers(1, 5)))
    assert len(set(table)) < len(table) / 2
    found, warnings = split(table)
    assert far_from_shares(found, [row[-1] for row in table]) == []
    assert warnings == ()
    most_frequent = max(set(table), key=table.count)  # it is in each split, as such rows are among new ones
    assert all(most_frequent in {table[row] for row in rows} for rows in found.values())


@given(st.integers(0, 2**32), st.integers(2, 4), st.sampled_from([0.1, 1.0]))
@settings(deadline=None, max_examples=20)
def test_copies_of_rows_with_many_values_stay_together(split, seed, times, share):
    rng = np.random.default_rng(seed)
    table = [(*row, "pq"[row[0] > 0]) for row in rng.normal(size=(300, 3)).round(3).tolist()]
    table += table[: int(300 * share)] * (times - 1)
    rng.shuffle(table)
    found, warnings = split(table)
    splits_of = {}
    for name, rows in found.items():
        for row in rows:
            splits_of.setdefault(tuple(table[row]), set()).add(name)
    assert {len(splits) for splits in splits_of.values()} == {1}
    assert far_from_shares(found, [row[-1] for row in table], least=4) == []
    assert warnings == ()


def test_a_thousand_numbers_each_twice_stay_together(split):
    numbers = np.random.default_rng(0).normal(size=1000)
    for predict in ("classes", "values"):
        table = [(x, int(x > 0) if predict == "classes" else 2 * x) for x in numbers] * 2
        found, _ = split(table, predict=predict)
        for rows in found.values():
            assert set(rows[rows < 1000].tolist()) == set((rows[rows >= 1000] - 1000).tolist())


def test_copies_too_many_for_a_split_are_split(split):
    rng = np.random.default_rng(0)
    table = [(x, y, "pq"[x > 0]) for x, y in rng.normal(size=(200, 2)).tolist()]
    table += [(9.5, 8.5, "p")] * 300
    found, warnings = split(table)
    assert far_from_shares(found, [row[-1] for row in table]) == []
    assert warnings == ()


def test_the_order_of_rows_of_few_values_does_not_matter(split):
    table = rows_of_few_values(np.random.default_rng(1), 300, 2)
    order = np.random.default_rng(2).permutation(len(table))
    before, _ = split(table)
    after, _ = split([table[place] for place in order])
    for name, rows in before.items():
        assert sorted(table[row] for row in rows) == sorted(table[order[row]] for row in after[name])


def test_few_rows_of_few_values_change_their_split_when_others_come(split):
    table = rows_of_few_values(np.random.default_rng(3), 600, 3)
    (before, _), (after, _) = split(table[:590]), split(table)
    for name, rows in before.items():
        assert len(set(rows.tolist()) - set(after[name].tolist())) <= 6


def test_values_of_few_rows_are_split_in_their_shares(split):
    rng = np.random.default_rng(4)
    table = [
        (a, b, y)
        for a, b, y in zip("pq" * 500, rng.choice(list("xyz"), 1000), rng.integers(0, 3, 1000).tolist(), strict=True)
    ]
    found, warnings = split(table, predict="values")
    assert 70 < len(found["validation"]) < 130
    assert 160 < len(found["test"]) < 240
    assert warnings == ()


def test_by_content_alone_all_equal_rows_stay_together_and_the_sizes_are_warned_about(split):
    table = list(itertools.product("pqrs", "xyz", "ab", ("u", "v"))) * 30
    found, (warning,) = split(table, split="hash")
    of_rows = [{table[row] for row in rows} for rows in found.values()]
    assert sum(map(len, of_rows)) == len(set(table))
    assert warning.parameter == "split"
    assert warning.remedy == "set split: stratified"
    assert split(table, split="stratified")[1] == ()


def test_repeats_that_chance_explains_are_split_row_by_row(split):
    rng = np.random.default_rng(5)
    table = [(*(f"v{value}" for value in row), "pq"[row[0] % 2]) for row in rng.integers(0, 4, (2000, 4)).tolist()]
    found, _ = split(table)
    splits_of = {}
    for name, rows in found.items():
        for row in rows:
            splits_of.setdefault(table[row], set()).add(name)
    assert sum(len(splits) > 1 for splits in splits_of.values()) > 0.8 * len(splits_of)


SPEC = """
mlpkit: 1
data: {{csv: {{file: {file}, target: t, categorical: {columns}, unknown: zeros}}}}
layers: [Affine: {{units: 16}}, Relu, Affine: {{units: auto}}, SoftmaxWithLoss]
training: {{optimizer: {{adam: {{learning_rate: 0.02}}}}, batch_size: 64, epochs: 12,
           best_weights: accuracy, metrics: [accuracy]}}
"""


@pytest.mark.parametrize("number", range(4))
def test_fresh_rows_of_few_values_are_predicted_as_well_as_by_counting(tmp_path, number):
    rng = np.random.default_rng(100 + number)
    table = rows_of_few_values(rng, 1200, 3)
    known, fresh = table[:900], table[900:]
    columns = ["a", "b", "c"]
    file = tmp_path / "t.csv"
    file.write_text("\n".join(",".join(row) for row in [(*columns, "t"), *known]))
    (tmp_path / "t.yaml").write_text(SPEC.format(file=file, columns=columns))
    run = mlpkit.run(mlpkit.load_spec(tmp_path / "t.yaml"), quiet=True)
    counts = collections.Counter(known)
    majority = {row[:-1]: max(["no", "yes"], key=lambda t, row=row: counts[*row[:-1], t]) for row in table}
    by_counting = np.mean([majority[row[:-1]] == row[-1] for row in fresh])
    predicted = run.model.predict([dict(zip(columns, row, strict=False)) for row in fresh])
    assert np.mean(predicted == [row[-1] for row in fresh]) > by_counting - 0.05
    assert run.metrics["test"]["accuracy"] == pytest.approx(by_counting, abs=0.1)


@pytest.mark.parametrize(
    "options",
    [{}, {"validation": 0, "test": 0}, {"split": "shuffle"}, {"split": {"group": "c1"}, "categorical": ("c0",)}],
)
def test_keys_of_examples_are_equal_for_copies_alone(options, tmp_path):
    few = rows_of_few_values(np.random.default_rng(2), 300, 2)
    rows = [(*row[:-1], number, row[-1]) for number, row in enumerate(few)]
    rows += rows[:20]
    (tmp_path / "t.csv").write_text("\n".join(["c0,c1,x,t", *(",".join(map(str, row)) for row in rows)]))
    dataset = Csv(str(tmp_path / "t.csv"), "t", unknown="zeros", **{"categorical": ("c0", "c1"), **SHARES, **options})
    found = {}
    for name, part in dataset.open(0).items():
        for row, key in zip(part.rows_in_file(), dataset.example_keys(name).tolist(), strict=True):
            found.setdefault(key, []).append(rows[row - 2])
    assert len(found) == 300
    assert all(len({*copies}) == 1 for copies in found.values())


def are_copies(rows, row, share):
    """Whether equal rows are copies of one example, by the documented rule, in plain Python."""
    count, columns = rows.count(row), list(zip(*rows, strict=True))
    others = len(rows) - count
    shares = [(column.count(value) - count) / max(others, 1) for column, value in zip(columns, row, strict=True)]
    by_chance = others * math.prod(shares) >= 1 - 1e-9
    return not by_chance and count <= max(5, share * columns[-1].count(row[-1]) / 2)


@pytest.mark.parametrize("shares", [(0.1, 0.2), (0.3, 0), (0, 0.25)])
def test_equal_rows_are_copies_unless_chance_explains_them_or_they_are_too_many(tmp_path, shares):
    found = collections.Counter()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        drawn = [rng.choice(n, 120, p=rng.dirichlet(np.full(n, 0.7))) for n in rng.integers(2, [6, 12, 30])]
        rows = [(f"k{a}", f"m{b}", c / 4, "pqr"[t]) for a, b, c, t in zip(*drawn, rng.integers(0, 3, 120), strict=True)]
        rows += [row for row in rows[:4] for _ in range(seed % 7)]
        content = ["c0,c1,x,t", *(",".join(map(str, row)) for row in rows)]
        (tmp_path / "t.csv").write_text("\n".join(content))
        given = {"categorical": ("c0", "c1"), "unknown": "zeros", "validation": shares[0], "test": shares[1]}
        dataset = Csv(str(tmp_path / "t.csv"), "t", **given)
        keys = collections.defaultdict(list)
        for name, part in dataset.open(0).items():
            for row, key in zip(part.rows_in_file(), dataset.example_keys(name).tolist(), strict=True):
                keys[rows[row - 2]].append(key)
        for row, own in keys.items():
            together = len(own) > 1 and are_copies(rows, row, min(share for share in shares if share))
            assert len({*own}) == (1 if together else len(own))
            found[together, len(own) > 1] += 1
    assert min(found[True, True], found[False, True]) > 50


def test_rows_of_a_file_for_testing_are_copies_by_the_same_rule(tmp_path):
    rng = np.random.default_rng(3)
    rows = [(*row[:-1], x, row[-1]) for row, x in zip(rows_of_few_values(rng, 200, 1), range(200), strict=True)]
    common = rows_of_few_values(rng, 400, 2)
    for name, train, test, copies in [("numbers", rows, rows[:7], 7), ("few", common[:300], common[300:], 0)]:
        header = ",".join(["c0", "c1", "t"])
        for split, some in (("train", train), ("test", test)):
            (tmp_path / f"{name}-{split}.csv").write_text(
                "\n".join([header, *(",".join(map(str, row)) for row in some)])
            )
        categorical = ("c0", "c1") if name == "few" else ("c0",)
        files = {"file": str(tmp_path / f"{name}-train.csv"), "test": str(tmp_path / f"{name}-test.csv")}
        dataset = Csv(target="t", validation=0, categorical=categorical, unknown="zeros", **files)
        assert np.isin(dataset.example_keys("test"), dataset.example_keys("train")).sum() == copies
