"""Kubios HRV: the report as CSV and as text, which holds figures first and, at its end, the RR data."""

import pytest

from .made import AT_S, RR, assert_same, read_as, refusal

REPORT = """Kubios HRV analysis results

Kubios HRV Standard, version 3.5.0

File name: rr.txt
Measurement date: 01-05-2024 10:00:00

RR Interval Samples Selected for Analysis
          , SAMPLE 1,
Sample limits (hh:mm:ss), 00:00:00-00:04:15,
Artifacts corrected (%),  0.00,

RESULTS FOR A SINGLE SAMPLE
          , SAMPLE 1,
Time-Domain Results
Statistical parameters
  Mean RR (ms):,  850.1,
  SDNN (ms):,  33.0,
  RMSSD (ms):, 25.5,
  pNN50 (%):, 4.0,

"""
HEADINGS = """RR INTERVAL DATA and SPECTRUM ESTIMATES
SAMPLE 1,,,,,,
RR data,,FFT spectrum,,AR spectrum,,
Time,RR interval,Frequency,PSD,Frequency,PSD,
(s),(s),(Hz),(s^2/Hz),(Hz),(s^2/Hz),
"""


def row(n):
    spectra = f"{n / 512:.4f},{1e-4 * n:.3e},{n / 512:.4f},{2e-4 * n:.3e}" if n < 200 else ",,,"
    return f"{AT_S[n]:.3f},{RR[n] / 1000:.4f},{spectra},"


CSV = REPORT + HEADINGS + "\n".join(row(n) for n in range(RR.size)) + "\n"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_rr_data_of_a_kubios_report_are_read_not_its_figures_or_spectra(tmp_path, mark):
    """Kubios's user's guide, “Saving the results”: the file has the figures, then under “RR INTERVAL DATA and SPECTRUM ESTIMATES”
    the columns “RR data” (Time, RR interval, both in s) beside those of the spectra, which are shorter; text has tabs for commas.
    """
    found = read_as(tmp_path, "rr_hrv.csv", CSV.replace(",", mark))
    assert_same(found)
    assert found.source.unit == "s"
    assert "RR interval" in found.source.evidence[0]


def test_two_samples_beside_each_other_give_the_first_and_it_is_said(tmp_path):
    """The same guide: several samples stand beside each other, each with its own Time and RR interval."""
    rows = [f"{AT_S[n]:.3f},{RR[n] / 1000:.4f},{AT_S[n] + 600:.3f},{0.7 + 0.01 * (n % 3):.4f}," for n in range(RR.size)]
    head = "SAMPLE 1,,SAMPLE 2,,\nRR data,,RR data,,\nTime,RR interval,Time,RR interval,\n(s),(s),(s),(s),\n"
    found = read_as(tmp_path, "rr_hrv.csv", REPORT + "RR INTERVAL DATA\n" + head + "\n".join(rows))
    assert_same(found)
    assert "is not read" in found.source.evidence[0]


def test_a_report_without_rr_data_is_refused_and_told_what_to_export(tmp_path):
    """The same guide: the RR data are optional in the file."""
    told = refusal(tmp_path, "rr_hrv.txt", REPORT)
    assert "report of Kubios HRV" in told
    assert "Save the report again with its RR data" in told
