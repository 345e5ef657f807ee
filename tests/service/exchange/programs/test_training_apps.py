"""OpenHRV, VNS Analyse, HRV4Training, HRV Logger and Empatica: text of programs for training and research."""

import pytest

from restbeat.service.exchange.packet_reconstruction import began_of

from ..reading.test_random_files import figures_of
from .made import AT_S, BEGAN, RR, assert_same, at, read_as, refusal


def test_openhrvs_intervals_are_read_from_among_its_other_rows(tmp_path):
    """OpenHRV's guide, “Record a session”: `event,value,timestamp`; InterBeatInterval in ms, HeartRateVariability, HrvTarget,
    PacerRate, Sensors and Annotation, a row each as they happen, with a date of ISO 8601 without a zone.
    """
    rows = ["event,value,timestamp", f"Sensors,Polar H10 1234,{at(0)}", f"PacerRate,6.5,{at(0)}"]
    for n, (t, rr) in enumerate(zip(AT_S, RR, strict=True)):
        rows += [f"InterBeatInterval,{rr},{at(t)}", *([f"HeartRateVariability,{60 + n % 9},{at(t)}"] if n % 5 == 0 else [])]
    found = read_as(tmp_path, "OpenHRV_2024-05-01-10-00.csv", "\n".join([*rows, f"Annotation,eyes closed,{at(AT_S[-1])}"]))
    assert_same(found)
    assert "value of InterBeatInterval" in found.source.evidence[0]


VNS = """Korrektur\tAktiv

Hauptparameter der VNS Analyse - Rohwerte (Nicht aktiv)
mainParameterSI\tmainParameterRMSSD\tmainParameterHRMean\tmainParameterAlpha1\tmainParameterSDNN
10.00\t25.00\t70.00\t1.00\t33.00\t

"""


def section(name, rr):
    lines = [f"{one / 1000:.3f}\t{'Notiz: Beginn' if n in {0, 100} else ''}" for n, one in enumerate(rr)]
    return "\n".join([f"RR-Intervalle - {name}", *lines, "", ""])


def test_the_intervals_of_vns_analyse_are_read_as_measured_once(tmp_path):
    """Its text: figures, then two sections of intervals in s, “Rohwerte” as measured and “Korrigierte Werte” corrected, one a
    line with a tab and at times “Notiz: …” behind it.
    """
    corrected = [850] * RR.size
    text = VNS + section("Rohwerte (Nicht aktiv)", RR) + section("Korrigierte Werte (Aktiv)", corrected)
    found = read_as(tmp_path, "VNS.txt", text)
    assert_same(found)
    assert "as measured" in found.source.evidence[0]


def test_corrected_intervals_of_vns_analyse_are_read_where_there_are_no_others_and_it_is_said(tmp_path):
    """The same, with one section only."""
    found = read_as(tmp_path, "VNS.txt", VNS + section("Korrigierte Werte (Aktiv)", RR))
    assert_same(found)
    assert "as VNS Analyse corrected them" in found.source.evidence[0]
    assert "has no RR intervals" in refusal(tmp_path, "VNS.txt", VNS + "RR-Intervalle - Rohwerte\n\n")


def test_the_intervals_of_hrv4training_are_read(tmp_path):
    """HRV4Training's RR data: one interval in ms a line."""
    assert_same(read_as(tmp_path, "2024-05-01.txt", "\n".join(map(str, RR))))


def test_the_diary_of_hrv4training_is_refused_by_its_name(tmp_path):
    """HRV4Training's export of all data: `date, timestamp_measurement, HR, AVNN, SDNN, rMSSD, pNN50, LF, HF,
    HRV4T_Recovery_Points …`, one row a day.
    """
    rows = [
        f"2024-05-{d:02}, 2024-05-{d:02} 07:01:12, {52 + d % 5}.5, 1100.2, 80.1, {60 + d}.0, 30.1, 0.4, 0.5, 8.1"
        for d in range(1, 29)
    ]
    head = "date, timestamp_measurement, HR, AVNN, SDNN, rMSSD, pNN50, LF, HF, HRV4T_Recovery_Points"
    told = refusal(tmp_path, "MyMeasurements.csv", "\n".join([head, *rows]))
    assert "diary of HRV4Training" in told
    assert "Export the RR intervals" in told


def test_any_table_of_one_heart_rate_a_day_is_refused_as_figures(tmp_path):
    """Diaries of other programs: a heart rate and an RMSSD a day are no session of ten days."""
    told = refusal(tmp_path, "diary.csv", "date,HR,RMSSD\n" + "\n".join(f"2024-05-{d:02},{52 + d % 5},40" for d in range(1, 29)))
    assert "figures of past measurements (RMSSD), whose rows are days apart" in told
    told = refusal(tmp_path, "hours.csv", "time,HR\n" + "\n".join(f"2024-05-01T{h:02}:00:00,{52 + h % 5}" for h in range(24)))
    assert "1 hours apart" in told


@pytest.mark.parametrize("form", ["dates", "ms"])
def test_hrv_loggers_intervals_are_read_with_their_date(tmp_path, form):
    """HRV Logger's questions and answers: `date,rr,since start` (a date with a zone, ms, ms), or `timestamp, rr, since_start`."""
    rows = [
        f"{at(t, '%Y-%m-%d %H:%M:%S')} +0000, {rr}, {round(1000 * t)}"
        if form == "dates"
        else f"{round(1000 * (BEGAN.timestamp() + t))}, {rr}, {round(1000 * t)}"
        for t, rr in zip(AT_S, RR, strict=True)
    ]
    found = read_as(
        tmp_path, "2024_RR.csv", "\n".join(["date,rr,since start" if form == "dates" else "timestamp, rr, since_start", *rows])
    )
    assert_same(found)
    assert abs((began_of(found.recording.header) - BEGAN).total_seconds()) < 2


def test_empaticas_ibi_is_read(tmp_path):
    """Empatica E4, IBI.csv: the first row has the start since 1970 and “IBI”; then s from it and the interval, both in s."""
    rows = [f"{t:.6f},{rr / 1000:.6f}" for t, rr in zip(AT_S, RR, strict=True)]
    found = read_as(tmp_path, "IBI.csv", "\n".join([f"{BEGAN.timestamp():.6f}, IBI", *rows]))
    assert_same(found)
    assert figures_of(found).accepted_pct > 99
