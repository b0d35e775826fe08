"""The nearest name to one that was misspelt, and sizes in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpkit.components.kinds import KINDS
from mlpkit.components.schema.wording import (
    MOST_CANDIDATES,
    certain,
    counted,
    did_you_mean,
    either_of,
    listed,
    memory_size,
    nearest,
    nearest_file,
    shown_number,
)

NAMES = ["Affine", "Relu", "Sigmoid", "he_normal", "learning_rate"]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("relu", "Relu"),
        ("Afine", "Affine"),
        ("HeNormal", "he_normal"),
        ("he-normal", "he_normal"),
        ("learningrate", "learning_rate"),
        ("lr", "learning_rate"),
        ("LR", "learning_rate"),
        ("hn", "he_normal"),
        ("sig", "Sigmoid"),
        ("si", None),
        ("r", None),
        ("af", None),
        ("Conv2d", None),
        ("", None),
    ],
)
def test_finds(word, found):
    assert nearest(word, NAMES) == found
    assert did_you_mean(word, NAMES) == (f"did you mean '{found}'?" if found else "")


def test_three_of_five_letters_are_enough():
    assert nearest("bcd", ["abcdefg"]) == "abcdefg"
    assert nearest("bcd", ["abcdefgh"]) is None


def test_an_ambiguous_abbreviation_is_ignored():
    assert nearest("bat", ["batch_size", "batch_norm"]) is None
    assert nearest("bn", ["BatchNorm", "batch_size", "Dropout"]) == "BatchNorm"
    assert nearest("mse", ["MeanSquaredError", "SoftmaxWithLoss"]) == "MeanSquaredError"


def test_a_long_word_or_many_candidates_take_no_time():
    assert nearest("x" * 10_000_000, NAMES) is None
    names = [f"name_{i}" for i in range(MOST_CANDIDATES)]
    assert nearest("nam_7", names) == "name_7"
    assert nearest("nam_7", [*names, "one_more"]) is None


KEYS = [
    "seed",
    "seeds",
    "Relu",
    "Selu",
    "Elu",
    "batch_size",
    "epochs",
    "adam",
    "adamw",
    "beta1",
    "beta2",
    "Conv2d",
    "sgd",
    "step",
]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("batch_sise", "batch_size"),
        ("batchsize", "batch_size"),
        ("Batch-Sizes", "batch_size"),
        ("epcohs", "epochs"),
        ("Adam", "adam"),
        ("SGD", "sgd"),
        ("relu", "Relu"),
        ("beta_1", "beta1"),
        ("bta2", "beta2"),
        ("beta", None),  # which of the two?
        ("beta3", None),
        ("Conv1d", None),  # another layer
        ("nadam", None),  # another optimizer
        ("adan", None),
        ("seds", "seeds"),
        ("stpe", "step"),
        ("sede", None),
        ("seed_", None),  # seed or seeds
        ("sgdm", None),  # too short
        ("bach_siz", None),  # two slips
        ("", None),
    ],
)
def test_certain_is_only_what_has_no_rival(word, meant):
    assert certain(word, KEYS) == meant


def test_nothing_is_certain_among_too_many_names():
    names = [f"name_{i}x" for i in range(MOST_CANDIDATES - 1)] + ["epochs"]
    assert certain("epcohs", names) == "epochs"
    assert certain("epcohs", [*names, "one_more"]) is None
    assert certain("epochs", [*names, "one_more"]) == "epochs"


def test_names_that_are_about_as_near_are_rivals():
    names = ["BatchNorm", "BatchNorm1d", "BatchNorm2d"]
    assert certain("BatchNrom", names) is None


@given(st.lists(st.text("abAB_", min_size=1, max_size=6), min_size=1, unique=True), st.data())
def test_a_slip_of_one_letter_is_never_taken_for_another_name(names, data):
    name = names[0]
    at = data.draw(st.integers(0, len(name)))
    before, after, letter = name[:at], name[at:], data.draw(st.sampled_from("abAB_1"))
    misspelt = data.draw(
        st.sampled_from(
            [
                before + after[1:],
                before + letter + after,
                before + letter + after[1:],
                before + after[1::-1] + after[2:],
            ]
        )
    )
    same_start = misspelt[:1].lower() == name[:1].lower()  # no slip is worse than in the first letter
    assert not same_start or certain(misspelt, names) in (misspelt if misspelt in names else None, None, name)


def test_equal_endings_make_no_files_alike():
    files = ["weather.yaml", "weather.csv", "loans.yaml"]
    assert nearest_file("Doctor.yaml", files) is None
    assert nearest_file("weathr.yml", files) == "weather.yaml"
    assert nearest_file("weather.cvs", files) == "weather.csv"
    assert nearest_file("loan", files) == "loans.yaml"


def test_nothing_is_near_to_nothing():
    assert nearest("Relu", []) is None


@given(st.lists(st.text(min_size=1), min_size=1, unique=True).flatmap(st.permutations))
def test_a_name_is_nearest_to_itself_or_to_its_twin_and_order_does_not_count(names):
    found = nearest(names[0], names)
    plain = [name.lower().replace("_", "").replace("-", "") for name in (names[0], found or "")]
    assert plain[0] == plain[1]
    assert nearest(names[0], reversed(names)) == found


def test_of_two_names_as_like_the_one_of_nearer_length_is_meant():
    assert nearest("rum", ["resume", "run"]) == nearest("rum", ["run", "resume"]) == "run"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (5_844_000_000, "5.84 GB"),
        (999_400, "999 kB"),
        (999_499, "999 kB"),
        (999_500, "1,000 kB"),
        (999_600, "1,000 kB"),
        (1_000_000, "1 MB"),
        (10**9, "1 GB"),
        (10**12, "1 TB"),
        (2**48, "281 TB"),
        (10**15, "1 PB"),
        (10**18 - 1, "1,000 PB"),
        (10**18, "1 EB"),
        (3 * 10**21, "3,000 EB"),
    ],
)
def test_a_number_of_bytes_has_three_digits(size, text):
    assert memory_size(size) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.43124, "0.4312"),
        (5.0799e-05, "5.08e-05"),
        (999.94, "999.9"),
        (1000, "1,000"),
        (0, "0"),
        (-999.96, "-1,000"),
        (113_296.4, "113,300"),
        (9.994e14, "999,400,000,000,000"),
        (-1e15, "-1e+15"),
        (float("nan"), "nan"),
    ],
)
def test_a_number_in_a_sentence_has_four_digits(value, text):
    assert shown_number(value) == text


def test_nouns_are_counted_and_names_listed():
    assert [counted(number, "row") for number in (0, 1, 2, 1000)] == ["0 rows", "1 row", "2 rows", "1,000 rows"]
    assert [listed("abc", most) for most in (2, 3)] == ["a, b, ...", "a, b, c"]
    assert either_of(("layer", "optimizer", "category_encoding")) == "a layer or an optimizer or a category encoding"
    assert either_of(("layer", "loss"), article=False) == "layer or loss"
    assert either_of((*KINDS, "layer")) == "a component"
