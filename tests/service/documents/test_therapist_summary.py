import msgspec

from restbeat.analysis.figures import ResponseContext
from restbeat.service.documents.therapist_summary import summary_of

from ...web.made_up import report, row
from ...web.take_home import a_visit, short_baseline


def test_the_summary_states_the_massages_response_first():
    summary = summary_of(row(), report(), a_visit(pain=(6, 4), noted=((600.0, 5),)))
    assert summary.lead.startswith("Compared with the quiet minutes before, heart rhythm variability during the massage")
    assert (summary.variability, summary.variability_range, summary.rmssd) == ("+22 %", "+3 to +45", "34 → 42")
    assert (summary.heart_rate, summary.pain) == ("72 → 63", "6 → 4, 5 during")


def test_a_missing_figure_is_a_dash_with_the_footnote_that_says_why():
    summary = summary_of(row(), report())
    names = [name for name, _ in summary.columns]
    recovery = next(line for line in summary.rows if line.phase == "Recovery")
    lf = recovery.cells[names.index("LF")]
    assert lf.text == "—"
    assert summary.footnotes[lf.footnote - 1] == "The longest unbroken stretch is 104 s: LF needs 120 s."
    assert recovery.cells[names.index("HF")].footnote is None


def test_a_caution_about_complete_figures_is_attached_to_their_phase():
    caution = "HF peaks at 0.30 Hz, over a quarter of the heart rate (0.25 Hz): uncertain by some percent."
    summary = summary_of(row(), msgspec.structs.replace(report(), reasons={"baseline": [caution]}))
    baseline = next(line for line in summary.rows if line.phase == "Baseline")
    assert summary.footnotes[baseline.footnote - 1] == caution
    assert all(cell.footnote is None for cell in baseline.cells)


def test_one_reason_shared_by_all_phases_is_one_footnote():
    assert len(summary_of(row(), report(hrv=False)).footnotes) == 1


def test_a_heart_rate_only_session_does_not_mention_hrv():
    summary = summary_of(row(), report(hrv=False))
    assert summary.lead == "This sensor sent the heart rate only. There is no heart rhythm variability to tell of."
    assert summary.rmssd is None
    assert [response.at for response in summary.responses] == [None, None]


def test_the_bar_of_a_response_stays_within_its_ends():
    wild = msgspec.structs.replace(report(), intervals={"massage": (-3.0, 3.0)})
    massage = summary_of(row(), wild).responses[0]
    assert (massage.low_at, massage.high_at) == (0.0, 100.0)
    assert 0 < massage.at < 100


def test_a_session_without_any_event_yet_has_a_summary_too():
    empty = msgspec.structs.replace(
        report(notes=0),
        figures=msgspec.structs.replace(report().figures, phases=[], responses=[]),
        segments=[],
        pain=[],
        duration_s=0.0,
    )
    summary = summary_of(row(), empty)
    assert summary.lead == "Nothing was measured in this session yet."
    assert (summary.rows, summary.pain, summary.heart_rate) == ((), "", "—")


def test_the_quality_states_rejected_and_lost_beats():
    assert summary_of(row(), report()).quality == (
        "1\u202f944 beats received; 98.2 % used, 35 left out; 1 gap (38.4 s lost); 3 doubled packets passed over."
    )


def test_the_second_question_is_answered_separately_and_unknowns_are_stated_once():
    phases = ("massage", "recovery")
    for classes, said in ((("usual", "more"), ["Of massage.", "Of recovery."]), (("unknown", "unknown"), ["Of massage.", ""])):
        context = {
            phase: ResponseContext(wander_sd=0.1, usual_class=class_, usual_why=f"Of {phase}.")
            for phase, class_ in zip(phases, classes, strict=True)
        }
        summary = summary_of(row(), msgspec.structs.replace(report(), context=context))
        assert [view.usual for view in summary.responses] == said
    assert [view.usual for view in summary_of(row(), report()).responses] == ["", ""]


def test_with_a_baseline_too_short_there_is_no_figure_only_the_reason_and_what_helps():
    summary = summary_of(row(), short_baseline())
    assert summary.lead == (
        "The baseline was too short to compare with: 2:10 of the 4:00 it takes. "
        "Next time, begin the massage once the room says “Baseline complete”."
    )
    assert (summary.variability, summary.variability_range, summary.rmssd) == ("—", "", None)
    assert {(view.word, view.effect, view.at) for view in summary.responses} == {("Baseline too short", "—", None)}
    loose = summary_of(row(), short_baseline(300, clean=9))
    assert loose.lead.startswith("Only 1:30 of the baseline could be used, and a comparison takes 4:00. Moisten the strap")
    assert loose.rmssd is None
