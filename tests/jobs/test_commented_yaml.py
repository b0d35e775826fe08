"""A spec with comments is read again as what it was, and looks as a person would write it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlpkit.jobs.init_from_data import LONGEST_INLINE, WIDTH, to_commented_yaml
from mlpkit.specfile.document import parse_document
from mlpkit.specfile.source import REFUSED

SPEC = {
    "mlpkit": 1,
    "data": {
        "csv": {
            "file": "a b.csv",
            "ignore": ["id", "note: old"],
            "categorical": [f"column {number}" for number in range(12)],
            "missing_texts": [""],
        }
    },
    "layers": [{"Affine": {"units": 3}}, "Relu", {"Affine": {"units": 2, "weights": {"normal": {"std": 0.1}}}}],
    "training": {"optimizer": {"sgd": {"learning_rate": 0.1}}, "metrics": []},
}

COMMENTS = {
    (): "What it is.",
    ("data", "csv", "ignore", 0): "an id",
    ("data", "csv", "ignore", 1): "a note of somebody who had " + "much " * 20 + "to say",
    ("layers", 0): "wide\nenough",
    ("training", "optimizer"): "as it was",
}

TEXT = """\
# What it is.
mlpkit: 1
data:
  csv:
    file: a b.csv
    ignore:
      - id  # an id
      # a note of somebody who had much much much much much much much much much much much much much
      # much much much much much much much to say
      - 'note: old'
    categorical:
      - column 0
      - column 1
      - column 2
      - column 3
      - column 4
      - column 5
      - column 6
      - column 7
      - column 8
      - column 9
      - column 10
      - column 11
    missing_texts: ['']
layers:
  - Affine: {units: 3}  # wide\\nenough
  - Relu
  - Affine: {units: 2, weights: {normal: {std: 0.1}}}
training:
  optimizer: {sgd: {learning_rate: 0.1}}  # as it was
  metrics: []
"""


def test_looks_as_a_person_would_write_it():
    assert to_commented_yaml(SPEC, COMMENTS) == TEXT
    assert max(map(len, TEXT.splitlines())) <= max(WIDTH, LONGEST_INLINE)


texts = st.text(max_size=30).filter(lambda text: not REFUSED.search(text))
scalars = st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-1e9, 1e9) | texts
values = st.recursive(
    scalars, lambda inside: st.lists(inside, max_size=5) | st.dictionaries(texts, inside, max_size=4), max_leaves=20
)


def paths_in(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in items for found in paths_in(item, (*path, key)))]


@given(st.data(), st.dictionaries(st.sampled_from(["data", "layers", "training", "name"]), values))
def test_is_read_again_as_what_it_was(data, spec):
    escaped = to_commented_yaml(spec, {})
    commented = st.sampled_from(paths_in(spec))
    comments = data.draw(st.dictionaries(commented, st.text("a #:'\"{}[]\n\u2028", max_size=150), max_size=4))
    text = to_commented_yaml(spec, comments)
    if spec:
        assert parse_document(text, "a.yaml").values == parse_document(escaped, "a.yaml").values == spec


def test_a_dollar_is_escaped_in_values_and_stays_in_keys():
    spec = {"data": {"csv": {"ordinal": {"size $": ["$5", "$10"]}}}}
    text = to_commented_yaml(spec, {})
    assert "size $: [$$5, $$10]" in text
    assert parse_document(text, "a.yaml").values == spec


def test_a_layer_too_long_for_a_line_has_a_line_for_each_parameter():
    numbers, dates = [{"Periodic": {"size": "x" * 40}}], [{"Periodic": {"size": "y" * 40}}]
    text = to_commented_yaml(
        {"layers": ["Relu", {"Columns": {"numbers": numbers, "dates": dates}}]}, {("layers", 1): "one-hot pass"}
    )
    assert (
        text
        == f"""\
layers:
  - Relu
  - Columns:  # one-hot pass
      numbers: [{{Periodic: {{size: {"x" * 40}}}}}]
      dates: [{{Periodic: {{size: {"y" * 40}}}}}]
"""
    )


def test_lines_have_at_most_a_hundred_columns_and_lists_eighty():
    for length, text in ((75, f"a: [{'x' * 75}]\n"), (76, f"a:\n  - {'x' * 76}\n")):
        assert to_commented_yaml({"a": ["x" * length]}, {}) == text
    for length, text in ((88, f"  - B: {{u: {'x' * 88}}}\n"), (89, f"  - B:\n      u: {'x' * 89}\n")):
        assert to_commented_yaml({"layers": [{"B": {"u": "x" * length}}]}, {}) == f"layers:\n{text}"
    for length, text in ((92, f"a: 1  # {'c' * 92}\n"), (93, f"# {'c' * 93}\na: 1\n")):
        assert to_commented_yaml({"a": 1}, {("a",): "c" * length}) == text


def test_comments_are_wrapped_and_are_never_narrower_than_forty_columns():
    words = " ".join(["ab"] * 40)
    assert to_commented_yaml({"a": 1}, {("a",): words}).splitlines()[0] == "# " + " ".join(["ab"] * 33)
    assert to_commented_yaml({}, {(): words}).splitlines()[0] == "# " + " ".join(["ab"] * 33)
    deep, path = {"k": 1}, ("k",) * 36
    for _ in range(35):
        deep = {"k": deep}
    comment = to_commented_yaml(deep, {path: words}).splitlines()[35:-1]
    assert comment[0] == " " * 70 + "# " + " ".join(["ab"] * 13)
    assert " ".join(line.strip("# ") for line in comment) == words
