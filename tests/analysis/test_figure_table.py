"""The table of figures that page, terminal and FHIR use covers every figure of a phase."""

from restbeat.analysis.figure_table import FIGURES
from restbeat.analysis.figures import PhaseFigures

WHEN = {"phase", "start_s", "end_s", "rhythm"}


def test_the_table_names_every_figure_once():
    names = [figure.field for figure in FIGURES]
    assert set(names) - {"duration_s"} == set(PhaseFigures.__struct_fields__) - WHEN
    assert len(names) == len(set(names))


def test_a_figure_is_read_from_its_phase():
    phase = PhaseFigures(phase="baseline", start_s=60.0, end_s=360.0, beats=320, rmssd_ms=41.5)
    found = {figure.field: figure.of(phase) for figure in FIGURES}
    assert (found["duration_s"], found["beats"], found["rmssd_ms"], found["sdnn_ms"]) == (300.0, 320, 41.5, None)


def test_a_unit_in_a_fields_name_is_the_figures_unit():
    units = {"ms": "ms", "pct": "%", "ms2": "ms²", "s": "s", "bpm": "bpm"}
    for figure in FIGURES:
        unit = units.get(figure.field.rpartition("_")[2])
        assert unit in {None, figure.unit}, figure.field


def test_no_two_figures_have_the_same_code():
    codes = [(figure.code.system, figure.code.code) for figure in FIGURES if figure.code]
    assert len(codes) == len(set(codes))
