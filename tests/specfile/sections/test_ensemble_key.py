"""The key ``ensemble``: how many networks, or folds, or which of them."""

from __future__ import annotations

import pytest

from mlpkit.errors import SpecSchemaError
from mlpkit.specfile.spec import parse_spec

SPEC = """\
mlpkit: 1
name: x
seed: 7
data: mnist
layers: [Affine: {units: 10}, SoftmaxWithLoss]
training: {optimizer: sgd, iterations: 10}
"""


def spec_with(text=""):
    return parse_spec(f"{SPEC}{text}\n", name="s.yaml")


@pytest.mark.parametrize(
    ("text", "size", "trains_all", "seed"),
    [
        ("ensemble: {members: 8}", 8, True, 7),
        ("ensemble: {folds: 5}", 5, True, 7),
        ("ensemble: {members: 8, member: 3}", 8, False, 10),
        ("ensemble: {folds: 5, member: 0}", 5, False, 7),
    ],
)
def test_the_networks_are(text, size, trains_all, seed):
    spec = spec_with(text)
    assert (spec.ensemble.size, spec.trains_ensemble, spec.seed, spec.data_seed) == (size, trains_all, seed, 7)
    assert spec.seeds == (7,)


@pytest.mark.parametrize("text", ["", "ensemble: null"])
def test_by_default_there_is_one_network(text):
    spec = spec_with(text)
    assert (spec.ensemble, spec.trains_ensemble, spec.seed) == (None, False, 7)
    assert "ensemble" not in spec.resolved()


@pytest.mark.parametrize(
    ("text", "place", "message", "expected"),
    [
        ("ensemble: {}", "7:1", "the number of networks is not set", "either members: NETWORKS or folds: PARTS"),
        (
            "ensemble: {members: 3, folds: 3}",
            "7:24",
            "both members and folds are given",
            "either members: NETWORKS or folds: PARTS",
        ),
        ("ensemble: {members: 1}", "7:21", "1 is out of range", "an integer, at least 2 and at most 100"),
        ("ensemble: {folds: 101}", "7:19", "101 is out of range", "an integer, at least 2 and at most 100"),
        ("ensemble: 5", "7:11", "5 is not a mapping", "a mapping with the keys of ensemble"),
        ("ensemble: {folds: 5, member: 5}", "7:30", "network 5 is not one of 5", "a number from 0 to 4"),
    ],
)
def test_a_wrong_value_is_an_error_at_its_place(text, place, message, expected):
    with pytest.raises(SpecSchemaError) as raised:
        spec_with(text)
    (fault,) = raised.value.faults
    assert (f"{fault.line}:{fault.column}", fault.message, fault.expected) == (place, message, expected)


@pytest.mark.parametrize(("value", "remedy"), [("3", "write {members: 3}"), ("1", "its keys: members, folds, member")])
def test_a_number_alone_is_answered_with_what_it_means(value, remedy):
    with pytest.raises(SpecSchemaError) as raised:
        spec_with(f"ensemble: {value}")
    assert [fault.remedy for fault in raised.value.faults] == [remedy]


def test_several_seeds_of_an_ensemble_are_an_error_at_their_key():
    with pytest.raises(SpecSchemaError) as raised:
        spec_with("seeds: 3\nensemble: {folds: 5}")
    (fault,) = raised.value.faults
    assert (fault.line, fault.column, fault.message) == (7, 1, "a spec trains either an ensemble or several seeds")


def test_a_network_of_an_ensemble_says_which_in_the_resolved_spec():
    member = spec_with("ensemble: {folds: 5}").with_member(2)
    resolved = member.resolved(slices=1, threads=1)
    assert (resolved["seed"], resolved["ensemble"]) == (7, {"folds": 5, "member": 2})
    again = parse_spec(member.resolved_text(slices=1, threads=1), name="resolved.yaml", resolved=True)
    assert (again.seed, again.data_seed, again.trains_ensemble) == (9, 7, False)
