"""Variables. What is refused is in ``wrong_specs``."""

from __future__ import annotations

import pytest

from mlpkit.components.schema.context import Problem
from mlpkit.errors import Fix, SpecSyntaxError
from mlpkit.specfile.document import parse_document
from mlpkit.specfile.nodes import plain
from mlpkit.specfile.source import MOST_VALUES, DiagnosticList, SourceText
from mlpkit.specfile.strict_yaml import parse_yaml
from mlpkit.specfile.variables import beginning


def values(text: str):
    return parse_document(text).values


@pytest.mark.parametrize(
    ("variable", "value"),
    [("50", 50), ("'50'", "50"), ("0.5", 0.5), ("true", True), ("null", None), ("[1, {a: 2}]", [1, {"a": 2}])],
)
@pytest.mark.parametrize("use", ["$v", "${v}", "'$v'", '"${v}"'])
def test_a_value_keeps_its_type(variable, value, use):
    found = values(f"vars: {{v: {variable}}}\nx: {use}\ny:\n- {use}")
    assert found == {"x": value, "y": [value]}
    assert type(found["x"]) is type(value)


@pytest.mark.parametrize(
    ("text", "value"), [("$$", "$"), ("$$v", "$v"), ("a$$b$$c", "a$b$c"), ("$$$$v", "$$v"), ("$${v}", "${v}")]
)
def test_two_dollars_are_one(text, value):
    assert values(f"vars: {{v: 1, w: {text!r}}}\nx: {text!r}\ny: $w") == {"x": value, "y": value}


@pytest.mark.parametrize("text", ["a$v", "$v ", "$v$v", "$$$v", "${v", "$", "$ v", "$1", "${}", "$é"])
def test_a_dollar_means_something_or_is_refused(text, faults_of):
    (fault,) = faults_of(f"vars: {{v: 1}}\nx: {text!r}", reader=parse_document)
    assert fault.startswith("<spec>:2:4: ")


def test_variables_may_refer_to_later_ones():
    document = parse_document("vars: {a: $b, b: {x: $c}, c: 3}\ny: $a")
    assert document.values == {"y": {"x": 3}}
    assert document.variables == {"a": {"x": 3}, "b": {"x": 3}, "c": 3}


def test_keys_are_not_substituted():
    assert values("vars: {v: 1}\n$v: $v\n$$: 2") == {"$v": 1, "$$": 2}


def test_vars_are_no_part_of_the_values_and_may_be_unused():
    document = parse_document("vars: {unused: 1}\nx: 2")
    assert (document.values, document.variables) == ({"x": 2}, {"unused": 1})
    assert parse_document("x: 2").variables == {}


def test_a_wrong_reference_in_an_unused_variable_is_reported(faults_of):
    assert faults_of("vars: {unused: $x}\ny: 2", reader=parse_document) == ["<spec>:1:16: unknown variable $x"]


def test_a_fault_in_a_substituted_value_points_at_the_use_and_tells_the_value():
    document = parse_document("vars:\n  a: abc\n  hidden: $a\nunits: $hidden", name="a.yaml")
    assert str(document.located(Problem(("units",), "not an integer"))).splitlines() == [
        "a.yaml:4:8: not an integer",
        "    4 | units: $hidden",
        "      |        ^^^^^^^",
        "  note: $hidden is 'abc', set at a.yaml:3:11",
        "  note: $a is 'abc', set at a.yaml:2:6",
    ]


def test_a_fault_inside_a_substituted_value_points_at_its_text_and_tells_the_use():
    document = parse_document("vars:\n  best: {sgd: {rate: abc}}\noptimizer: $best", name="a.yaml")
    assert str(document.located(Problem(("optimizer", "sgd", "rate"), "not a number"))).splitlines() == [
        "a.yaml:2:22: not a number",
        "    2 |   best: {sgd: {rate: abc}}",
        "      |                      ^^^",
        "  note: $best is used at a.yaml:3:12",
    ]
    at_key = document.located(Problem(("optimizer", "sgd", "rate"), "unknown", at_key=True))
    assert (at_key.column, at_key.notes) == (16, ("$best is used at a.yaml:3:12",))


def test_two_uses_of_a_variable_have_notes_of_their_own():
    document = parse_document("vars: {v: [1]}\na: $v\nb: $v", name="s")
    assert document.origin_notes(("a", 0)) == ("$v is used at s:2:4",)
    assert document.origin_notes(("b", 0)) == ("$v is used at s:3:4",)


def test_a_circle_is_reported_once(faults_of):
    assert faults_of("vars: {a: [$b], b: $c, c: $b}\nx: $a\ny: $b\nz: $c", reader=parse_document) == [
        "<spec>:1:27: variables refer to one another in a circle: $b -> $c -> $b"
    ]


def test_variables_that_multiply_are_refused(faults_of):
    doubling = "".join(f"  v{index}: [$v{index + 1}, $v{index + 1}]\n" for index in range(15))
    (fault,) = faults_of(f"vars:\n{doubling}  v15: 1\nx: $v0", reader=parse_document)
    assert fault.endswith(": with variables put in, the spec holds more than 10,000 values")


def test_variables_that_nest_too_deep_are_refused(faults_of):
    nesting = "".join(f"  v{index}: [$v{index + 1}]\n" for index in range(19))
    (fault,) = faults_of(f"vars:\n{nesting}  v19: 1\nx: $v0", reader=parse_document)
    assert fault.endswith(": with variables put in, lists and mappings are nested more than 20 levels deep")


def test_a_long_line_of_variables_is_refused(faults_of):
    line = "".join(f"  v{index}: $v{index + 1}\n" for index in range(3_000))
    faults = faults_of(f"vars:\n{line}  v3000: 1\nx: $v0", reader=parse_document)
    assert faults[0] == "<spec>:21:8: variables refer to each other more than 20 levels deep"


def test_the_longest_line_of_variables():
    line = "".join(f"  v{index}: $v{index + 1}\n" for index in range(19))
    assert values(f"vars:\n{line}  v19: 1\nx: $v0") == {"x": 1}


def test_ten_variables_are_all_listed():
    ten = ", ".join(f"v{index}: 1" for index in range(10))
    with pytest.raises(Exception, match=r"expected: one of \$v0, .*\$v8, \$v9\n"):
        parse_document(f"vars: {{{ten}}}\nx: $unheard_of")


def test_only_some_of_many_variables_are_listed():
    many = ", ".join(f"v{index}: 1" for index in range(50))
    with pytest.raises(Exception, match=r"expected: one of \$v0, .*\$v9, \.\.\.\n"):
        parse_document(f"vars: {{{many}}}\nx: $unheard_of")


def test_all_values_count_with_lists_and_mappings_themselves(faults_of):
    """The spec, vars, x and y are 4; v is 100 there and in each of 98 places."""
    text = f"vars: {{v: [{'1,' * 99}]}}\nx: [{'$v,' * 98}]\ny: "
    left = MOST_VALUES - 4 - 99 * 100
    assert values(f"{text}[{'0,' * left}]")
    (fault,) = faults_of(f"{text}[{'0,' * (left + 1)}]", reader=parse_document)
    assert fault.endswith(": with variables put in, the spec holds more than 10,000 values")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$v/a.csv", "data/a.csv"),
        ("${v}/a.csv", "data/a.csv"),
        ("'$v/'", "data/"),
        (r"$v\a.csv", r"data\a.csv"),
        ("$v/$$a.csv", "data/$a.csv"),
        ("$deep/a.csv", "data/deep/a.csv"),
        ("$year/a.csv", "2026/a.csv"),
    ],
)
def test_a_variable_begins_a_path(path, value):
    document = parse_document(f"vars: {{v: data, deep: $v/deep, year: 2026}}\nx: {path}")
    assert document.values == {"x": value}


VARIABLES = "vars: {v: data, deep: $v, home: {env: HOME}}\n"


def beginning_of(variables, path):
    root = parse_yaml(SourceText("", f"{variables}x: {path}", 0), DiagnosticList())
    return beginning(root.entries["x"].node, root)


@pytest.mark.parametrize(
    ("path", "begins"),
    [
        ("$v/a.csv", "data"),
        ("${v}/a.csv", "data"),
        ("${deep}/a.csv", "data"),  # through another variable
        ("$home/a.csv", {"env": "HOME"}),
    ],
)
def test_the_beginning_of_a_path_is_where_its_variable_is_written(path, begins):
    assert plain(beginning_of(VARIABLES, path)) == begins


@pytest.mark.parametrize("path", ["$v", "${v}", "a/$v", "$w/a.csv", "${w}/a.csv"])
@pytest.mark.parametrize("variables", [VARIABLES, ""], ids=["variables", "none"])
def test_other_values_begin_with_no_variable(variables, path):
    assert not beginning_of(variables, path)


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("a/$v", "$v is only a part of 'a/$v'; a variable stands for a whole value, or begins a path"),
        ("$v.csv", "$v is only a part of '$v.csv'; a variable stands for a whole value, or begins a path"),
        ("$v/$v", "$v is only a part of '/$v'; a variable stands for a whole value, or begins a path"),
        ("$rate/a", "$rate is 0.5, which can't begin the path '$rate/a'"),
        ("$list/a", "$list is a list, which can't begin the path '$list/a'"),
        ("$w/a", "unknown variable $w"),
        ("$circle", "variables refer to one another in a circle: $circle -> $circle"),
    ],
)
def test_what_can_not_begin_a_path(path, fault, faults_of):
    text = f"vars: {{v: data, rate: 0.5, list: [1]}}\nx: {path}".replace(
        "[1]", "[1], circle: $circle/a" if path == "$circle" else "[1]"
    )
    assert faults_of(text, reader=parse_document)[0].partition(": ")[2] == fault


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50", 50),
        ("1e-3", 0.001),
        ("true", True),
        ("null", None),
        ("a b: c", "a b: c"),
        ("$v $$", "$v $$"),
        ("'5'", "'5'"),
    ],
)
def test_a_value_from_the_environment_is_one_scalar(text, value, monkeypatch):
    monkeypatch.setenv("MLPKIT_TEST_V", text)
    document = parse_document("vars: {v: {env: MLPKIT_TEST_V, default: 1}}\nx: $v")
    assert (document.values, document.variables) == ({"x": value}, {"v": value})
    assert type(document.values["x"]) is type(value)


def test_a_default_is_used_if_the_environment_has_nothing(monkeypatch):
    text = "vars: {v: {env: MLPKIT_TEST_V, default: $w}, w: [3]}\nx: $v"
    monkeypatch.delenv("MLPKIT_TEST_V", raising=False)
    assert parse_document(text).values == {"x": [3]}
    monkeypatch.setenv("MLPKIT_TEST_V", "")
    assert parse_document(text).values == {"x": [3]}
    assert parse_document(text, overrides=["vars.v=4"]).values == {"x": 4}
    assert parse_document(text, overrides=["vars.v.default=5"]).values == {"x": 5}


@pytest.mark.parametrize("value", ["{env: {a: 1}}", "{env: A, other: 1}", "{default: 1}"])
def test_other_mappings_are_values(value):
    assert parse_document(f"vars: {{v: {value}}}\nx: $v").values == {"x": parse_document(f"x: {value}").values["x"]}


def test_an_environment_variable_that_is_missing_or_wrong(monkeypatch, faults_of):
    monkeypatch.delenv("MLPKIT_TEST_V", raising=False)
    text = "vars: {v: {env: MLPKIT_TEST_V}}\nx: $v/a\ny: $v"
    assert faults_of(text, reader=parse_document) == [
        "<spec>:1:17: $v has no value: the environment variable MLPKIT_TEST_V isn't set",
    ]
    for wrong, why in (("1e999", "1e999 is not finite"), ("\x1b", "a string can't hold the character U+001B")):
        monkeypatch.setenv("MLPKIT_TEST_V", wrong)
        (fault,) = faults_of("vars: {v: {env: MLPKIT_TEST_V}}\nx: $v", reader=parse_document)
        assert fault == f"<spec>:1:17: the environment variable MLPKIT_TEST_V: {why}"


def test_a_fault_in_a_value_from_the_environment_names_it(monkeypatch):
    monkeypatch.setenv("MLPKIT_TEST_V", "wide")
    document = parse_document("vars: {v: {env: MLPKIT_TEST_V}}\nx: $v")
    assert document.origin_notes(("x",)) == (
        "$v is 'wide', set at <spec>:1:17",
        "the environment variable MLPKIT_TEST_V is 'wide'",
    )


def test_layers_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("MLPKIT_TEST_V", "Tanh")
    text = "vars: {act: {env: MLPKIT_TEST_V, default: Relu}}\nlayers: [$act, Relu]"
    assert parse_document(text, overrides=["layers.Tanh1=null"]).values == {"layers": ["Relu"]}


def test_only_the_name_of_a_variable_is_corrected():
    with pytest.raises(SpecSyntaxError) as caught:
        parse_document("vars: {datas: a}\nx: $dats/dats.csv")
    assert caught.value.faults[0].fix == Fix("$dats/dats.csv", "$datas/dats.csv")
