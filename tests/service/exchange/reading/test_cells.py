"""A column that is parsed at once gives what its cells give one by one, or is left to them."""

import numpy as np
import pytest

from restbeat.service.exchange.reading.cells import moment_in, moments_of, number_in, numbers_of

DATE = "2024-05-01"


@pytest.mark.parametrize("zone", ["", "Z", "+00:00", "+02:00", "-0330", " +0545"])
@pytest.mark.parametrize("between", ["T", " "])
@pytest.mark.parametrize("fraction", ["", ".8", ".855", ".855123"])
def test_dates_of_any_zone(zone, between, fraction):
    cells = [f"{DATE}{between}10:{n // 60:02}:{n % 60:02}{fraction}{zone}" for n in range(100)]
    found = moments_of(cells)
    assert found.form == "date"
    assert found.values.tolist() == pytest.approx([moment_in(cell).value for cell in cells], abs=1e-6)


@pytest.mark.parametrize(("cells", "comma"), [(["0.5", "812", "-3", "7.25"], False), (["0,5", "812", "7,25"], True)])
def test_numbers(cells, comma):
    wanted = [number_in(cell, comma=comma) for cell in cells]
    assert numbers_of(cells, comma=comma).tolist() == wanted
    assert moments_of(cells, comma=comma).values.tolist() == wanted


def test_a_blank_among_numbers_is_none():
    assert np.isnan(numbers_of(["812", "", "799"])).tolist() == [False, True, False]
    assert moments_of(["812", "", "799"]) is None


def test_times_of_day():
    cells = [f"{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.25" for n in range(0, 86_400, 997)]
    found = moments_of(cells)
    assert (found.form, found.values.tolist()) == ("clock", [moment_in(cell).value for cell in cells])


@pytest.mark.parametrize(
    "cells",
    [
        ["[812, 799]"],
        ["812 ms"],
        ["1.2.3"],
        ["nan"],
        ["1e3"],
        ["--"],
        ["-"],
        [f"{DATE}T10:00:00Z", f"{DATE}T10:00-01Z"],
        [f"{DATE}T10:00:00Z", f"{DATE}T10:00:01"],
        [f"{DATE}T10:00:00+01:00", f"{DATE}T10:00:01+02:00"],
        [f"{DATE}T10:00:00", "now"],
        [f"{DATE}T25:00:00"],
        ["10:00:00", "10:00"],
        ["10:00:00", "1:00:00.5"],
        [],
    ],
)
def test_anything_else_is_left_to_the_single_cells(cells):
    assert moments_of(cells) is None
