"""A second Python process, and how it answers."""

from __future__ import annotations

import signal
import sys

import pytest

from mlpkit.second_process import how_it_ended, pipes_of, start_process

MODULE = """
import os, sys
from mlpkit.second_process import take_answers

def answer(*arguments):
    answers = take_answers(sys.stderr.fileno())
    print("noise")
    os.system("echo more noise")
    answers.write(f"{arguments} {sys.stdin.readline()} é\\n")
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "acme_answers.py").write_text(MODULE, "utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    return "acme_answers"


def test_it_finds_the_modules_that_this_one_does_and_only_answers_come_back(module, tmp_path):
    process = start_process(f"{module}:answer", "first", "second", cwd=str(tmp_path))
    questions, answers = pipes_of(process)
    questions.write("question")
    questions.close()
    assert answers.read() == "('first', 'second') question é\n"
    answers.close()
    assert how_it_ended(process.wait()) == "with exit code 0"


def test_a_signal_that_ended_it_is_named(module):
    process = start_process(f"{module}:answer")
    process.kill()
    assert how_it_ended(process.wait()) == "by SIGKILL"
    for pipe in pipes_of(process):
        pipe.close()
    assert how_it_ended(-signal.SIGTERM) == "by SIGTERM"
