import xml.etree.ElementTree as ET

import msgspec
import pytest

from restbeat.service.rendering.session_plot import session_picture

from ...web.made_up import report


def texts(svg):
    return ["".join(element.itertext()).strip() for element in ET.fromstring(svg).iter() if element.tag.endswith("}text")]


def test_the_same_report_gives_the_same_picture():
    assert session_picture(report()) == session_picture(report())


def test_the_picture_names_phases_axes_the_baseline_and_the_marks():
    words = texts(session_picture(report(notes=3)))
    for word in ("Settling", "Baseline", "Massage", "Recovery", "RMSSD, ms", "minutes", "baseline 34 ms", "1", "3"):
        assert word in words


def test_missing_beats_break_the_line():
    whole = report()
    closed = msgspec.structs.replace(
        whole, segments=[msgspec.structs.replace(segment, rmssd_ms=segment.rmssd_ms or 40.0) for segment in whole.segments]
    )
    lines = [svg.count("stroke-width: 1.7") for svg in (session_picture(whole), session_picture(closed))]
    assert lines == [5, 4]


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"hrv": False}, "Heart rate only: there is no HRV to draw."), ({}, "No RMSSD to draw: too few beats followed each other.")],
)
def test_without_figures_the_picture_says_so(changes, said):
    empty = msgspec.structs.replace(report(), segments=[], **changes)
    assert texts(session_picture(empty)) == [said]


def test_drawing_leaves_matplotlib_as_it_was():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    session_picture(report())
    assert dict(mpl.rcParams) == before
