"""Descriptions of columns that have no comment in a table's statement: those of views, and those that a migration added.

By `table.column`; a column that is the same wherever it stands, by its name alone.
"""

from typing import Final

COLUMNS: Final = {
    "seq": "the order of arrival, of packets and all else together",
    "t_s": "s of the session's clock",
    "started_utc": "when the session began",
    "made_utc": "when it was made",
    "file": "random name of the file's content",
    "algorithm": "version of the analysis",
    "figures": "the whole report, as JSON",
    "baseline_rmssd_ms": "of the quiet minutes before",
    "massage_rmssd_ms": "of the massage",
    "baseline_hr_bpm": "mean heart rate of the quiet minutes before",
    "massage_hr_bpm": "mean heart rate of the massage",
    "massage_accepted_pct": "of the massage's beats, those fit for a figure",
    "pain_before": "0 to 10, as it was asked",
    "pain_after": "0 to 10, as it was asked",
    "to_mind": "flags that nobody has seen to yet",
    "response_pct": "change of RMSSD in the massage against the baseline",
    "session_overview.response": "its class: clear, slight, none, opposite, insufficient",
    "session_overview.technique": "planned",
    "session_overview.strap": "its model or name, else the recording's file name",
    "phase": "settle, baseline, massage, recovery",
    "start_s": "s of the session's clock",
    "end_s": "s of the session's clock",
    "beats": "received, doubles left out",
    "accepted_pct": "of the beats, those fit for a figure",
    "mean_hr_bpm": "mean heart rate",
    "mean_rr_ms": "mean interval",
    "rmssd_ms": "root mean square of successive differences",
    "ln_rmssd": "its natural logarithm",
    "sdnn_ms": "standard deviation of the intervals",
    "pnn50_pct": "share of differences above 50 ms",
    "sd1_ms": "of the Poincaré plot",
    "sd2_ms": "of the Poincaré plot",
    "lf_ms2": "power, 0.04–0.15 Hz",
    "hf_ms2": "power, 0.15–0.40 Hz",
    "resp_per_min": "breaths a minute, from the intervals",
    "clean_segments": "parts of 10 s with at least five differences of adjacent accepted beats",
    "delta_ln_rmssd": "against the session's own baseline",
    "half_width": "half of the 95 % interval of that change",
    "response.percent": "the same change, of RMSSD",
    "response.class": "clear, slight, none, opposite, insufficient",
    "response.why": "what the class means, or which condition failed",
    "screening.confirmed_utc": "when it was pressed that none applies, or that what applies was considered; NULL: not confirmed",
    "mark.kind": "stop: the massage was stopped because of pain; NULL: any other mark",
    "event.kind": "link, phase, mark, pain",
    "phase.phase": "settle, baseline, massage, recovery, ended",
    "press": "key of the press that told it: sent again, it is known by it",
    "client.strap_address": "the strap worn last",
    "client.strap_name": "the strap worn last",
    "client.posture": "as in the last session",
    "session.technique": "planned",
    "session.therapist": "name of the account that began it",
    "session.header_extra": "what else a recording's first line told, as JSON",
    "session.device_extra": "what else it told of the device, as JSON",
    "packet.char": "the characteristic, such as 2a37 for heart rate",
    "packet.payload": "its bytes, as they came",
    "flag.rule": "what raised it: stop, pain, note, after 24 h, after 48 h, mail",
    "audit.detail": "such as which link, or which purpose",
}


def words_of(table: str, column: str) -> str:
    """Return the description of a column; empty where its name says it."""
    return COLUMNS.get(f"{table}.{column}") or COLUMNS.get(column, "")
