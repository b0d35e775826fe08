"""All that is shown of each word of a spec, and where it leads to, without an editor."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from pathlib import Path

import pytest
from requirements import require_package

from mlpkit.components.schema.wording import memory_size
from mlpkit.jobs.check import check
from mlpkit.registry.registry import Registry
from mlpkit.specfile.document import read_document
from mlpkit.specfile.source import SourceText
from mlpkit.specfile.spec import check_document
from mlpkit.version import VERSION
from mlpkit_plugins.layers.relu import Relu

types = require_package("lsprotocol.types")
require_package("pygls")
from pygls.workspace import PositionCodec

from mlpkit.verbs.lsp.completion import completions
from mlpkit.verbs.lsp.lookup import code_lenses, definitions, hover, inlay_hints
from mlpkit.verbs.lsp.open_spec import OpenSpec, offset_of, position

BASE = """\
mlpkit: 1
vars: {rate: 0.125, size: 24}
layers:
  - Affine: {name: first, units: 7}
  - Tanh
"""
TEXT = """\
mlpkit: 1
extends: base.yaml
vars: {rate: 0.25}
data:
  csv: {file: "example:flowers.csv", target: species, categorical: [soil], missing: fill}
layers:
  - Affine: {name: "\U0001f600 one", units: 50}
  - Residual: {layers: [Relu, Affine: {units: 50}]}  # a comment
  - Affine:
      units: auto
  - SoftmaxWithLoss
training:
  optimizer: {sgd: {learning_rate: $rate}}
  batch_size: $size
  epochs: 1
  metrics: [accuracy]
  freeze: ["Affine*", "\U0001f600 one"]
"""
CODEC = PositionCodec()


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens a text; wrong ones have the document and the shapes of ``TEXT``."""
    registry = Registry.discover()
    (tmp_path / "base.yaml").write_text(BASE, "utf-8")
    path = tmp_path / "spec.yaml"
    document = read_document(path, texts={str(path): TEXT})
    right = check(check_document(document, registry))

    def of(text):
        return OpenSpec(path.as_uri(), path, SourceText(str(path), text), CODEC, registry, True, None, document, right)

    return of


def at(spec, offset):
    return types.TextDocumentPositionParams(
        types.TextDocumentIdentifier(spec.uri), position(spec.text, offset, spec.codec)
    )


def shown(where):
    return f"{where.start.line}:{where.start.character}-{where.end.line}:{where.end.character}"


def test_each_word_of_a_spec(opened, golden):
    spec, lines = opened(TEXT), []
    for word in re.finditer(r"[$\w.*]+", TEXT):
        where = at(spec, word.start() + 1)
        found = hover(spec, where)
        text = found.contents.value.replace(str(spec.path.parent), "FOLDER") if found else ""
        paragraphs = [
            part.splitlines()[0].replace(VERSION, "VERSION")[:64] for part in text.split("\n\n") if part.strip()
        ]
        lines.append(f"{shown(types.Range(where.position, where.position)).partition('-')[0]} {word[0]}")
        lines += [
            f"    {part}" for part in paragraphs if part.startswith(("*", "`", "$", "Shapes", "Source")) or "; " in part
        ]
        for place in definitions(spec, where):
            file = place.uri.rpartition("/")[2]
            lines.append(f"    -> {file} {shown(place.range) if file.endswith('yaml') else ''}".rstrip())
    golden(Path(__file__).with_name("words.golden.txt"), "\n".join(lines) + "\n")


def test_a_component_leads_to_the_first_line_of_its_class(opened):
    spec, file = opened(TEXT), Path(inspect.getfile(Relu))
    (place,) = definitions(spec, at(spec, TEXT.index("Relu")))
    line = file.read_text("utf-8").partition("class Relu(")[0].count("\n")
    assert (place.uri, shown(place.range)) == (file.as_uri(), f"{line}:0-{line}:0")


def test_hints_have_their_places(opened):
    def hints(spec):
        found = inlay_hints(spec, None)
        assert all((each.padding_left, each.kind) == (True, types.InlayHintKind.Type) for each in found)
        return [(each.position.line, each.position.character, each.label) for each in found]

    affine = [(6, 39, "→ 50 · 350 parameters")]
    inside = [(7, 51, "→ 50 · 2,550 parameters"), (7, 28, "→ 50"), (7, 49, "→ 50 · 2,550 parameters")]
    last = [(8, 11, "→ 3 · 153 parameters")]
    assert hints(opened(TEXT)) == [*affine, *inside, *last]
    assert hints(opened(TEXT.replace("a comment", "another"))) == [*affine, *last]
    assert hints(opened("\n".join(TEXT.splitlines()[:8]))) == [*affine, *inside]
    assert hints(opened("\n".join(TEXT.splitlines()[:7]))) == affine
    assert hints(replace(opened(TEXT), right=None)) == []


def test_what_the_network_needs_is_above_its_layers(opened):
    spec = opened(TEXT)
    (lens,) = code_lenses(spec, None)
    assert shown(lens.range) == "5:0-5:7"
    assert lens.command.title == f"3,053 parameters, at least {memory_size(spec.right.memory)} of memory to train"
    assert lens.command.command == ""
    for other in (opened("# a line more\n" + TEXT), replace(spec, right=None), opened("mlpkit: 1\n")):
        assert code_lenses(other, None) == []


@pytest.mark.parametrize("broken", [False, True])
def test_what_is_offered_at_the_end_of_each_word(broken, opened, golden):
    lines = []
    for word in re.finditer(r"[$\w.*]+", TEXT):
        text = TEXT[: word.end()] + (" ]\n" if broken else "") + TEXT[word.end() :]
        spec = opened(text)
        found = completions(spec, at(spec, word.end()))
        names = [f"{item.label} {item.kind.name} {item.text_edit.new_text!r}" for item in found]
        changed = {text[offset_of(spec.text, item.text_edit.range.start, CODEC) : word.end()] for item in found}
        changed = {each for each in changed if not TEXT[word.start() : word.end()].endswith(each)}
        more = [] if len(names) <= 4 else [f"and {len(names) - 4} more" if len(names) < 12 else "and many more"]
        lines.append(f"{word[0]}: {', '.join([*names[:4], *more])}{f'; replaces {changed}' if changed else ''}")
        assert [item.sort_text for item in found] == [f"{number:05}" for number in range(len(found))]
    golden(Path(__file__).with_name(f"offers{'_in_broken_text' if broken else ''}.golden.txt"), "\n".join(lines) + "\n")
