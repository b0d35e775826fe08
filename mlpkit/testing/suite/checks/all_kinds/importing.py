"""Importing: what it costs, and that it changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mlpkit.components.kinds import KINDS
from mlpkit.testing.suite.check import checks_component
from mlpkit.testing.suite.nonconformity import Nonconformity

if TYPE_CHECKING:
    from mlpkit.testing.suite.subject import Subject

LONGEST: Final = 1.0
"""Seconds of processor time; NumPy takes a tenth of that, SciPy's largest parts less than half."""


@checks_component(*KINDS)
def import_is_quick(subject: Subject) -> None:
    """Does importing the plugin and the component take less than a second of the processor's time, beyond NumPy's?

    Every command that names the component pays it, ``mlpkit check`` too.
    """
    seconds = subject.seen_from_new_process().seconds
    spent = seconds[subject.entry.plugin.namespace] + seconds.get(subject.name, 0.0)
    if spent > LONGEST:
        raise Nonconformity(
            f"importing the component took {spent:.1f} s",
            expected=f"at most {LONGEST:g} s",
            remedy="import slow libraries within the methods that need them, and compute nothing at import",
        )


@checks_component(*KINDS)
def import_is_silent(subject: Subject) -> None:
    """Does importing the plugin and the component print nothing?

    ``--json`` and pipes would carry it.
    """
    printed = subject.seen_from_new_process().printed
    text = printed[subject.entry.plugin.namespace] + printed.get(subject.name, "")
    if text:
        raise Nonconformity(f"importing the component printed {text!r}", expected="nothing")


@checks_component(*KINDS)
def import_leaves_the_process_alone(subject: Subject) -> None:
    """Does importing change neither NumPy's settings nor the environment, random states or threads?

    A plugin that is installed may be imported for its neighbour's sake.
    """
    changed = subject.seen_from_new_process().changed
    found = changed[subject.entry.plugin.namespace] + changed.get(subject.name, [])
    if found:
        raise Nonconformity(
            f"importing the component changed {', '.join(found)}",
            expected="them to be left alone",
            remedy="do it within the methods that need it, and undo it there",
        )


@checks_component(*KINDS)
def other_specs_keep_their_results(subject: Subject) -> None:
    """Do the shipped specs give the same bits after the plugin and all its components were loaded as before?

    Having a plugin changes no result of those who don't name it.
    """
    report = subject.seen_from_new_process()
    if report.results_after != report.results_before:
        raise Nonconformity(
            "loading the plugin changed the results of specs that don't name it",
            expected="the same bits",
            remedy="don't replace functions of other modules",
        )
