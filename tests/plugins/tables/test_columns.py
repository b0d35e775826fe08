"""Which columns of a table are read, and how dates, times and ordered categories become numbers."""

from __future__ import annotations

import math
import re
from datetime import date, datetime

import numpy as np
import pytest

from mlpkit_plugins.tables.columns import (
    Chunk,
    Columns,
    DatePart,
    OrderedCategories,
    WrongTextError,
    formats_of,
    moment,
    seconds_of,
)


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["2024-05-31", " 2024-06-01T10:30+02:00 "], ["iso"]),
        (["31.05.2024", "1.6.1999"], ["%d.%m.%Y"]),
        (["31.05.2024 23:59"], ["%d.%m.%Y %H:%M"]),
        (["31.05.2024 11:59:07 pm"], ["%d.%m.%Y %I:%M:%S %p"]),
        (["01/02/2024", "12/11/2024"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["01/02/2024", "12/31/2024"], ["%m/%d/%Y"]),
        (["2024/05/31 7:05"], ["%Y/%m/%d %H:%M"]),
        (["31 May 2024"], ["%d %b %Y", "%d %B %Y"]),
        (["31 May 2024", "1 June 2024"], ["%d %B %Y"]),
        (["Jun 1, 2024"], ["%b %d, %Y"]),
        (["31-May-2024"], ["%d-%b-%Y"]),
        (["31May2024"], ["%d%b%Y"]),
        (["31.05.24"], ["%d.%m.%y"]),
        (["31-05-2024"], ["%d-%m-%Y"]),
        (["31-May-24"], ["%d-%b-%y"]),
        (["20240531"], []),
        (["2024-05-31", "soon"], []),
        (["2024-05-31", "31.05.2024"], []),
        ([], []),
    ],
)
def test_the_formats_of_dates_are_those_that_fit_all(texts, formats):
    assert formats_of(texts) == formats


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12.5", 12.5),
        (" -3e2 ", -300),
        ("1970-01-02", 86_400),
        ("1970-01-01 00:00:30", 30),
        ("1970-01-01T01:00+01:00", 0),
        ("1969-12-31T23:00-02:00", 3600),
        *((text, None) for text in ("inf", "nan", "-Infinity", "", "x", "31.05.2024")),
    ],
)
def test_times_are_numbers_or_seconds_since_1970(text, seconds):
    if seconds is None:
        with pytest.raises(ValueError, match=re.escape(text.strip() or "''")):
            seconds_of(text)
    else:
        assert seconds_of(text) == seconds


def test_a_time_without_a_zone_is_in_utc():
    assert moment("1970-01-01 06:00", "iso").timestamp() == moment("1970-01-01 08:00+02:00", "iso").timestamp()
    assert moment("2.1.1970", "%d.%m.%Y").timestamp() == 86_400


def test_ordered_categories_are_their_positions_and_others_are_collected_or_errors():
    sizes = OrderedCategories("size", ("small", "large", "huge"))
    np.testing.assert_array_equal(sizes.numbers([" huge ", "small", "?", "large"], {"?"}), [2, 0, np.nan, 1])
    for text, remedy in (("lage", "did you mean 'large'?"), ("7", "add it to ordinal: {size: [...]}")):
        with pytest.raises(WrongTextError) as caught:
            sizes.numbers(["small", text, "x"], ())
        error = caught.value
        assert (error.index, error.message) == (1, f"'{text}' is not one of small, large, huge")
        assert error.remedy == remedy
    collecting = OrderedCategories("size", ("small", "large"), set())
    assert collecting.numbers(["huge", "large", " tiny", "huge"], ()).tolist() == [math.inf, 1, math.inf, math.inf]
    assert collecting.unlisted == {"huge", "tiny"}


@pytest.mark.parametrize(
    ("written", "message", "remedy"),
    [
        ("iso", "an ISO date, such as 2024-05-31", "write one, or set dates: {day: '%d.%m.%Y'}"),
        ("%d/%m/%Y", "a date like %d/%m/%Y", "write one"),
    ],
)
def test_an_error_about_a_text_that_is_not_a_date_has_the_format(written, message, remedy):
    with pytest.raises(WrongTextError) as caught:
        DatePart("day", written, "year").numbers(["NA", "31.5.", "x"], {"NA"})
    assert (caught.value.index, caught.value.message) == (1, f"'31.5.' is not {message}")
    assert caught.value.remedy == remedy


def test_dates_are_written_as_their_column_has_them():
    day, time = date(2024, 5, 31), datetime(2024, 5, 31, 13, 45)  # noqa: DTZ001 - as files have them
    assert [DatePart("d", "iso", "year").written(each) for each in (day, time)] == ["2024-05-31", "2024-05-31T13:45:00"]
    assert [DatePart("d", "%d.%m.%y %H", "year").written(each) for each in (day, time)] == [
        "31.05.24 00",
        "31.05.24 13",
    ]
    assert OrderedCategories("d", ("2024-05-31",)).written(day) == "2024-05-31"


def test_columns_come_in_one_order_and_those_of_readers_by_their_name_in_the_file():
    readers = {"d (day)": DatePart("d", "iso", "day"), "d (year)": DatePart("d", "iso", "year")}
    columns = Columns(("a", "d (day)", "d (year)"), ("c",), ("t", "u"), None, "k", readers=readers, weight="w")
    assert columns.all_numbers == ("a", "d (day)", "d (year)", "t", "u")
    assert columns.names_in_file == ("a", "d", "d", "t", "u", "c", "w", "k")
    classes = Columns(("a",), ("c",), target_class="t", key="k")
    assert (classes.all_categories, classes.names_in_file) == (("c", "t"), ("a", "c", "t", "k"))
    assert [each.has_target for each in (columns, classes, Columns(("a",), ("c",), weight="w"))] == [True, True, False]


def test_advice_is_about_a_spec_or_about_arguments_in_python():
    assert Columns((), ()).setting("unknown", "zeros") == "set unknown: zeros"
    assert Columns((), (), in_python=True).setting("unknown", "zeros") == "pass unknown='zeros' to mlpkit.fit"


def test_some_rows_of_a_chunk_keep_what_belongs_to_them():
    rows, kept = np.arange(3), np.array([True, False, True])
    chunk = Chunk(rows, rows[:, None] / 2, rows[:, None].astype(np.int32), rows.astype(np.uint64), rows + 0.5)
    assert [each.ravel().tolist() for each in chunk.rows_where(kept)] == [[0, 2], [0, 1], [0, 2], [0, 2], [0.5, 2.5]]
    assert chunk._replace(keys=None, weights=None).rows_where(kept)[3:] == (None, None)
