"""Formats of other programs that can be read, as docs/formats.md lists them."""

from typing import Final, NamedTuple


class ReadFormat(NamedTuple):
    """A format that can be read; docs/formats.md lists them."""

    name: str
    written_by: str
    read: str
    """What of it becomes beats, and to which resolution."""
    gaps: str
    """Where beats count as missing."""


READ: Final = (
    ReadFormat(
        "RR text",
        "restbeat, Kubios HRV, Elite HRV, HRV4Training, Polar Sensor Logger, NeuroKit2, pyHRV",
        "one interval a line, or all in one line, in ms, s or µs; times of beats that never fall; sections in brackets and lines "
        "before the first number are passed over",
        "`# gap 18.25 s`, or a line that is not a number",
    ),
    ReadFormat(
        "restbeat CSV",
        "restbeat",
        "beats, gaps, phases; a rejected beat stays rejected; 1 µs",
        "as stated",
    ),
    ReadFormat(
        "tables (CSV, TSV, semicolons, bars, blanks)",
        "spreadsheets, pandas, R, Polar Sensor Logger (RR and PPI), wearable-hrv, Garmin exports",
        "columns named RR, IBI, NN, PP …, several of them, or lists in a cell, in ms, s or µs; times of beats; heart rates in "
        "bpm or Hz; rows of one kind among others; times as seconds, minutes, dates, clocks, or since 1970; PPI's blocker, error "
        "and contact, a sensor that was offline, and annotated beats, count",
        "where the times jump, or a row is not a number; a blank cell is no gap",
    ),
    ReadFormat(
        "JSON",
        "scripts",
        "a list of numbers, records, or columns beside each other, at any depth, one value or one a line; PT0.8S",
        "as of tables",
    ),
    ReadFormat(
        "Kubios HRV report (.csv, .txt)",
        "Kubios HRV",
        "its RR data, as Kubios corrected them, of the first sample; a report without them is refused",
        "as of tables",
    ),
    ReadFormat(
        "text of training and research",
        "OpenHRV, VNS Analyse, HRV4Training, HRV Logger, Empatica E4",
        "intervals with their times and date; of VNS Analyse those as measured; HRV4Training's diary is refused",
        "as of tables",
    ),
    ReadFormat(
        "Polar Flow (.json)",
        "Polar Flow's data export and interface",
        "`rr` of training sessions and pulse intervals of days, `offline` and contact count; else heart rates",
        "as of tables",
    ),
    ReadFormat(
        "JSON of wearables",
        "Oura, Fitbit, Movesense",
        "Oura's `ibi` with its validity, Movesense's `rrData`; else heart rates; RMSSD of five minutes each is refused",
        "as of tables",
    ),
    ReadFormat(
        "Apple Health export",
        "Apple Health",
        "the beats of the newest sample of heart-rate variability, to 10 ms; never its SDNN",
        "where the time between two beats is over 1.6 intervals",
    ),
    ReadFormat(
        "Suunto (.sml, .xml, .json)",
        "Suunto's app, Moveslink, Movescount, openambit",
        "`R-R` or `IBI` in ms; else heart rates in Hz",
        "JSON: where the times jump",
    ),
    ReadFormat(
        "XML of watches",
        "Polar ProTrainer, Polar Personal Trainer, Suunto",
        "elements or sample types named R-R, RR or IBI, in ms or s; else heart rates at the recording rate",
        "none",
    ),
    ReadFormat(
        "EDF+",
        "restbeat, EDFbrowser, PhysioNet's converters",
        "the intervals that restbeat writes (1 µs); else annotated beats (R, N, QRS; V, A … are no heartbeats); else a signal "
        "`HR` in bpm",
        "as stated",
    ),
    ReadFormat(
        "WFDB annotations (.atr, .qrs, .ecg …; extra `restbeat[wfdb]`)",
        "PhysioNet's records and detectors",
        "intervals between beats, at the rate of the file or of its header beside it; those beside other beats than N, L, R and "
        "B, noise or flutter are no heartbeats",
        "more than 3 s and 2.5 usual intervals without a beat",
    ),
    ReadFormat(
        "Garmin FIT",
        "Garmin, Wahoo, Coros, Suunto",
        "`hrv` messages (1 ms; time stamps 1 s); else `hr` messages, a strap's own memory; else heart rates of `record` messages",
        "pauses, and time that the time stamps leave uncovered",
    ),
    ReadFormat(
        "Polar .hrm",
        "Polar ProTrainer 5, Polar WebSync",
        "RR data (`Interval=238`, 1 ms), or heart rates at an interval",
        "a line that is not a number",
    ),
    ReadFormat(
        "Open mHealth",
        "restbeat, Shimmer",
        "`rr-interval`, `heart-rate`; an array, one object, or one object a line",
        "where points are not adjacent",
    ),
)
"""Every format of other programs that is read; each may also be packed by gzip, or alone in a zip file."""
