"""The dialect beside YAML 1.2: what it reads means the same, what it leaves out is refused in words of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlpkit.errors import SpecSyntaxError
from mlpkit.specfile.nodes import plain
from mlpkit.specfile.source import DiagnosticList, SourceText
from mlpkit.specfile.strict_yaml import parse_yaml

PLAIN = [
    ("b c", "b c"),
    ("a: b\n  c", {"a": "b c"}),
    ("a:\n  b\n  c\nd: e", {"a": "b c", "d": "e"}),
    ("a: b\n\n\n  c", {"a": "b\n\nc"}),
    ("a: b \t\n  c \t", {"a": "b c"}),
    ("a: b\tc", {"a": "b\tc"}),
    ("a: b\n \tc", {"a": "b c"}),
    ("a: b\n\t\n  c", {"a": "b\nc"}),
    ("- b\n \tc", ["b c"]),
    ("b\n\tc", "b c"),
    ("- b\n -c", ["b -c"]),
    ("a:\n  b\n  - c\n  ? d\n  # e", {"a": "b - c ? d"}),
    ("a: x:y", {"a": "x:y"}),
    ("a: x#y #z", {"a": "x#y"}),
    ("a: x\t#z", {"a": "x"}),
    ("- -x\n- ?x\n- :x\n- ::x", ["-x", "?x", ":x", "::x"]),
    ("- b, c\n- b]c\n- {b: c}\n- b{c", ["b, c", "b]c", {"b": "c"}, "b{c"]),
    ("- b!c\n- b&c\n- b*c\n- b%\n- b'c\n- b|\n- b@`", ["b!c", "b&c", "b*c", "b%", "b'c", "b|", "b@`"]),
    ("- ---\n- ...\n- --- b", ["---", "...", "--- b"]),
    ("---b", "---b"),
    (
        "- a b: c d\n- a:b: c\n- a?b: c\n- a-: b\n- ?a: b",
        [{"a b": "c d"}, {"a:b": "c"}, {"a?b": "c"}, {"a-": "b"}, {"?a": "b"}],
    ),
    ("a : b\nc\t: d", {"a": "b", "c": "d"}),
    ("a: b\u00a0c", {"a": "b\u00a0c"}),
    ("é: \U0001f600", {"é": "\U0001f600"}),
]

QUOTED = [
    ("''", ""),
    ("'it''s'", "it's"),
    ("- ''''\n- 'a\\n'", ["'", "a\\n"]),
    ("'a: b # c'", "a: b # c"),
    ("a: 'b\n  c'", {"a": "b c"}),
    ("a: ' b \t\n\n \t c '", {"a": " b\nc "}),
    ("'a': 'b'", {"a": "b"}),
    ('""', ""),
    (r'"\"\\\/\t\n\r"', '"\\/\t\n\r'),
    (r'"\x41\u00e9\U0001F600\_"', "Aé\U0001f600\u00a0"),
    ('"a\\\tb"', "a\tb"),
    ('a: "b\n  c\n\n  d"', {"a": "b c\nd"}),
    ('a: "b\\\n   c"', {"a": "bc"}),
    ('a: "b \\\n   \\  c"', {"a": "b   c"}),
    ('a: "b\\t\n  \\tc"', {"a": "b\t \tc"}),
    ('a: "b\n\t\n  c"', {"a": "b\nc"}),
    ('"a" : "b" # c', {"a": "b"}),
    ('"a: b": "#c"', {"a: b": "#c"}),
    ("\"'\": '\"'", {"'": '"'}),
    ("- 'no'\n- \"1\"\n- '~'", ["no", "1", "~"]),
]

BLOCK_TEXTS = [
    ("a: |\n  b\n  c\n", {"a": "b\nc\n"}),
    ("a: |\n  b", {"a": "b\n"}),
    ("a: |-\n  b\n\n\nc: d", {"a": "b", "c": "d"}),
    ("a: |\n  b\n\n\nc: d", {"a": "b\n", "c": "d"}),
    ("a: |+\n  b\n\n\nc: d", {"a": "b\n\n\n", "c": "d"}),
    ("a: |\n\n\n  b\n   c\n", {"a": "\n\nb\n c\n"}),
    ("a: |2\n   b\n  c\n", {"a": " b\nc\n"}),
    ("a: |2-\n   b\n", {"a": " b"}),
    ("a: |-2\n   b\n", {"a": " b"}),
    ("a: |+1\n b\n\n", {"a": "b\n\n"}),
    ("a: | # c\n  b # d\n  # e\n # f\n", {"a": "b # d\n# e\n"}),
    ("a: |\nb: c", {"a": "", "b": "c"}),
    ("a: |\n\n\nb: c", {"a": "", "b": "c"}),
    ("a: |+\n\n\nb: c", {"a": "\n\n", "b": "c"}),
    ("- |+\n   ", ["\n"]),
    ("a: |\n  b\n   ", {"a": "b\n \n"}),
    ("a: |\n  \tb\n  c\t\n", {"a": "\tb\nc\t\n"}),
    ("a: |\n \t\nb: c", {"a": "\t\n", "b": "c"}),
    ("- |\n b\n- >\n c\n", ["b\n", "c\n"]),
    ("a:\n  - |\n   b\n  - c", {"a": ["b\n", "c"]}),
    ("a: |\n  - b: 'c'\n  --- d\n  \"e\n", {"a": "- b: 'c'\n--- d\n\"e\n"}),
    ("--- |\n a\n", "a\n"),
    ("|\n a\n", "a\n"),
    ("a: >\n  b\n  c\n\n  d\n\n\n  e\n", {"a": "b c\nd\n\ne\n"}),
    ("a: >\n  b\n    c\n  d\n", {"a": "b\n  c\nd\n"}),
    ("a: >\n  b\n\n    c\n\n  d\n", {"a": "b\n\n  c\n\nd\n"}),
    ("a: >\n\n  b\n  c\n", {"a": "\nb c\n"}),
    ("a: >-\n  b\n  c\n\n", {"a": "b c"}),
    ("a: >+\n  b\n  c\n\n", {"a": "b c\n\n"}),
    ("a: >2\n   b\n  c\n", {"a": " b\nc\n"}),
    ("a: >\n  b\n  \tc\n  d\n", {"a": "b\n\tc\nd\n"}),
    ("a: >\n \t\n b\n", {"a": "\t\nb\n"}),
]

BLOCKS = [
    ("- a\n- b", ["a", "b"]),
    ("-\n  a\n-\n- b", ["a", None, "b"]),
    ("- - a\n  - b\n- - - c", [["a", "b"], [["c"]]]),
    ("- a: b\n  c: d\n-  e: f\n   g: h", [{"a": "b", "c": "d"}, {"e": "f", "g": "h"}]),
    ("- a:\n  - b\n  c:\n    - d", [{"a": ["b"], "c": ["d"]}]),
    ("a:\n- b\n- c\nd:", {"a": ["b", "c"], "d": None}),
    ("a:\n  - b\n\n  # c\n  - d\n", {"a": ["b", "d"]}),
    ("a:\n    b:\n        c\n    d: e", {"a": {"b": "c", "d": "e"}}),
    ("a:\n  b: c\nd: e", {"a": {"b": "c"}, "d": "e"}),
    (" a: b\n c: d", {"a": "b", "c": "d"}),
    ("a:\n\n\n  b", {"a": "b"}),
    ("a: # b\n  c: d # e\n# f\n  # g\n  h: i\n", {"a": {"c": "d", "h": "i"}}),
    ("? a\n: b\n? c\n? d\n: - e\n  - f", {"a": "b", "c": None, "d": ["e", "f"]}),
    ("? a b\n  c\n: d", {"a b c": "d"}),
    ("? |\n  a\n: b", {"a\n": "b"}),
    ("'a': b\n\"c\":\n  d", {"a": "b", "c": "d"}),
    ("a: b\r\nc:\r\n- d\r\n", {"a": "b", "c": ["d"]}),
    ("a: b\rc: d\r", {"a": "b", "c": "d"}),
    ("a:\tb\nc:\t\n\n- d", {"a": "b", "c": ["d"]}),
    ("a: 1\n \t\nb: 2\n\t\n", {"a": 1, "b": 2}),
    ("a: 1\n\t# c\nb: 2\n\t", {"a": 1, "b": 2}),
    ("a:\n\t\n  b: 1", {"a": {"b": 1}}),
    ("-\t\n  a\n- \t# b\n  c", ["a", "c"]),
]

BRACKETS = [
    ("[]", []),
    ("{}", {}),
    ("- []\n- {}\n- [[], {}]", [[], {}, [[], {}]]),
    ("[a, 'b', \"c\", 1,]", ["a", "b", "c", 1]),
    ("{a: 1, 'b': 2, \"c\": 3,}", {"a": 1, "b": 2, "c": 3}),
    ("{a, b: , 'd', \"e\":}", {"a": None, "b": None, "d": None, "e": None}),
    ("[a b\n  c, d\n  ]", ["a b c", "d"]),
    ("[a, # b\n c # d\n , # e\n]", ["a", "c"]),
    ("a: [\n  b,\n  c\n]\nd: {\n  e: f\n}", {"a": ["b", "c"], "d": {"e": "f"}}),
    ("a: [b,\nc\n]\nd: 'e\nf'", {"a": ["b", "c"], "d": "e f"}),  # YAML wants these lines indented
    ("[a: b, c: [d], ? e : f]", [{"a": "b"}, {"c": ["d"]}, {"e": "f"}]),
    ("['a': b, \"c\":d, 'e' :f]", [{"a": "b"}, {"c": "d"}, {"e": "f"}]),
    ('{"a":1,"b":[2],"c":{"d":"e"}}', {"a": 1, "b": [2], "c": {"d": "e"}}),
    ('{"a"::b}', {"a": ":b"}),
    ("{? a : b, ? c}", {"a": "b", "c": None}),
    ("{ ?foo: bar }", {"?foo": "bar"}),
    ("[?x, ?x y]", ["?x", "?x y"]),
    ("[a?b, a ? b, a?]", ["a?b", "a ? b", "a?"]),
    ("{a?: b?, c?d: ?e}", {"a?": "b?", "c?d": "?e"}),
    ("[:x, a: :y]", [":x", {"a": ":y"}]),
    ("{a: :x}", {"a": ":x"}),
    ("[::x, a::b, http://c:80/d]", ["::x", "a::b", "http://c:80/d"]),
    ("[-x, --, -1]", ["-x", "--", -1]),
    ("[a#b, c #d\n]", ["a#b", "c"]),
    ("[a!b, c&d, e*f, g|, h>, i%, j'k]", ["a!b", "c&d", "e*f", "g|", "h>", "i%", "j'k"]),
    ("['a\n\n  b', \"c\\\n  d\"]", ["a\nb", "cd"]),
    ("[a,\tb\t,\n \tc\t]", ["a", "b", "c"]),
    ("[\n\ta\n]", ["a"]),
    ("- [\n \ta\n  ]", [["a"]]),
    ("[a\n\n b]", ["a\nb"]),
    ("[a,\r\n b]", ["a", "b"]),
    ("{a: [b, {c: [d, {e: f}]}]}", {"a": ["b", {"c": ["d", {"e": "f"}]}]}),
]

DOCUMENTS = [
    ("---\na: 1", {"a": 1}),
    ("--- {a: 1}", {"a": 1}),
    ("--- 'a'\n...\n", "a"),
    ("---\ta", "a"),
    ("--- # a\nb: 1\n... # c\n# d\n", {"b": 1}),
    ("# a\n\n  # b\n---\nc: 1", {"c": 1}),
    ("a: 1\n...", {"a": 1}),
    ("---", None),
    ("---\n...\n", None),
    ("a", "a"),
]

LEFT_OUT = {
    "directives": ["%YAML 1.2\n---\na: 1", "%TAG ! x:\n--- a", "%FOO \t bar\n---\na: 1", "%YAML 1.2\n%YAML 1.2\n---\n"],
    "anchors": ["a: &b c", "&a b: c", "- &a\n- &b [c]", "&a\n- b", "? &a b\n: c"],
    "aliases": ["- &a b\n- *a", "{a: *b}", "*a : b"],
    "tags": ["a: !!str b", "a: !b c", "! a", "!<tag:x> a", "- !!map {a: b}", "!!str a: b", "a: !"],
    "merge keys": ["<<: {a: b}", "{<<: a}"],
    "second document": ["a\n---\nb", "--- a\n--- b", "---\n---", "a: 1\n...\nb: 2", "a\n...\n---\n"],
    "can't be a key": ["? [a]\n: b", "? - a\n: b", "[a]: b", "{a: b}: c", "{[a]: b}", "? {a: b}\n", "[[a]: b]"],
    "not a string": ["1: a", "true: a", "null: a", "~: a", "1.5: a", "{1: a}", "? 0x1\n: a"],
    "a key is missing": [": a", "- : a", "{: a}", "[: a]", "?\n: a", "{a: b, : c}", "{? : a}"],
    "can't hold the character": ['"\\b"', '"\\0"', '"\\e"', "a\u0085b", "\u2028", '"\\N"', '"\\ud83d\\ude00"', "\x07"],
    "is given twice": ["a: 1\na: 2", "{a: 1, 'a': 2}", "? a\n? a"],
    "a tab can't": ["-\ta", "-\t- a", "\t[a]", "a:\n \tb", "?\ta\n: b", "- \ta: b"],
    "on the same line": ["{a\n : b}", "{'a'\n : b}", "{ a\n  b: c}", "{\n a\n :\n b\n}", "['a'\n :b]"],
    "'...' ends the spec": ["...", "# a\n...\n"],
}

NOT_YAML = {
    "a comment needs a space": [
        '"text"# no comment',
        "a: 'b'# c",
        "[a]#b",
        "[a,#b\n c]",
        "{a: 'b'#c\n}",
        "- {}#",
        '"a"#: b',
    ],
    "only a comment can follow": ["a: ># b\n  c", "a: |x\n  b", "a: | b\n", "a: |0\n b", "a: |10\n b", "a: |--\n b"],
    "blank line above has more spaces": ["a: |\n    \n  b", "a: >\n \n  \n   \n # b", "- |\n     \n  b\n"],
    "a tab can't": [
        "a:\n\tb: 1",
        "a: 1\n\tb: 2",
        "a:\n \tb: 1",
        "a: |\n\tb",
        "a: |\n\t\nb: 1",
        "a: |\n  b\n\tc",
        "- [\n\ta]",
        "a: {\n\tb: c}",
        "-\n\t- a",
        "a: b\n\tc",
        "- a\n\t- b",
    ],
    "can't start with": ["[-]", "[-, -]", "[a, ?]", "{?}", "a: @b", "a: `b", "a: %b", "a: ]", "- }", "- ,"],
    "is never closed": ["[a", "{a: b", "a: [b\nc: d", "'a", '"a\nb: c', "a: [\n---\n]", "[a\n...\n", "'a\n---\n'"],
    "is closed by": ["[a}", "{a: b]", "a: [{b: c]"],
    "closes nothing": ["[a]]", "a: b\n]", "{a: b}}", "- a\n},"],
    "not an escape that double quotes allow": [r'"\q"', r'"\x4"', r'"\u12"', r'"\UFFFFFFFF"', r'"\'"'],
    "is missing before": [
        "[a, , b]",
        "[,]",
        "{,}",
        "{a: b, , c: d}",
        '["a" "b"]',
        "['a' b]",
        "{'a' b: c}",
        "{a: b\n c: d}",
    ],
    "second ':'": ["a: b: c", "a: 'b': c", "{a: b: c}", "a: b: - c", "a: [b, c: d: e]"],
    "start on the line": ["a: - b", "a: - b\n   - c"],
    "text after the end of a value": ["a: 'b' c", '"a" b', "a: [b] c", "'a''' b"],
    "indented": [
        "a: 1\n  b: 2",
        "a:\n  b: 1\n c: 2",
        "a:\n    b: 1\n  c: 2",
        "- a\n - b: c",
        "a: 'b'\n  c: d",
        " a: 1\nb: 2",
        "a:\n  b: 1\n    c: 2",
        "a: 1\n\n# c\n\n   b: 2",
        "- 'a'\n 'b'",
    ],
    "this line can't follow": ["'a'\n'b': 1", "{a: b}\n{c: d}", "[a]\n  # b\n[c]"],
    "a variable takes no braces": ["a: [${b}]", "{a: ${b}}"],
    "isn't allowed among": ["a: 1\n- b", "- a\nb: 1"],
    "has no ':'": ["a: 1\nb\nc: 2", "a\nb: 1", "a: 1\nb", "a:\n   b: 'c'\n   d", "a\n  b: c", "a: |\n b\nc"],
    "complex keys": ["a: ? b", "- a: ? b\n"],
    "a space is missing": ["a:1\nb: 2", "{a:[1]}", "{a:1}", "{a:, b: c}", "a: 1\nb:2", "- a\n-b", "a: 1\n-b"],
}
"""By a part of what is said first."""


def parse(text: str):
    faults = DiagnosticList()
    node = parse_yaml(SourceText("s", text), faults)
    faults.raise_if_any()
    return None if node is None else plain(node)


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(text, words) for words, texts in table.items() for text in texts]


@pytest.mark.parametrize(("text", "meaning"), PLAIN + QUOTED + BLOCK_TEXTS + BLOCKS + BRACKETS + DOCUMENTS)
def test_what_is_read_means_what_yaml_says(text, meaning):
    assert json.dumps(parse(text)) == json.dumps(meaning)


@pytest.mark.parametrize(("text", "words"), cases(LEFT_OUT))
def test_what_is_left_out_of_yaml_is_refused(text, words):
    with pytest.raises(SpecSyntaxError) as caught:
        parse(text)
    assert any(words in fault.message for fault in caught.value.faults)


@pytest.mark.parametrize(("text", "words"), cases(NOT_YAML))
def test_what_is_not_yaml_is_refused(text, words):
    with pytest.raises(SpecSyntaxError) as caught:
        parse(text)
    assert words in caught.value.faults[0].message


def test_each_mistake_has_its_place_and_its_advice(golden):
    lines = []
    for text, _ in cases(LEFT_OUT) + cases(NOT_YAML):
        with pytest.raises(SpecSyntaxError) as caught:
            parse(text)
        lines.append(repr(text))
        for fault in caught.value.faults:
            place = f"{fault.line}:{fault.column} to {fault.end_line}:{fault.end_column}"
            advice = [f"expected: {fault.expected}" if fault.expected else "", fault.remedy, *fault.notes]
            fix = f"{fault.fix.old!r} becomes {fault.fix.new!r}" if fault.fix else ""
            lines.append("; ".join(filter(None, [f"    {place} {fault.code}: {fault.message}", *advice, fix])))
    golden(Path(__file__).with_name("yaml_mistakes.txt"), "\n".join([*lines, ""]))


def test_the_dialect_does_not_depend_on_how_pyyaml_was_built():
    script = "import sys; sys.modules['yaml._yaml'] = None\nimport mlpkit; mlpkit.load_spec(sys.argv[1])"
    subprocess.run([sys.executable, "-c", script, "specs/mnist_3layer.yaml"], check=True)
