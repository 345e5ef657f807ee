"""A file of any layout gives the figures of the heart that it was made from, or is refused: never others."""

import os

import numpy as np
import pytest

from restbeat.analysis.session_report import whole_recording, whole_text
from restbeat.sensors.errors import RecordingError
from restbeat.sensors.recordings.rr_text import RrText
from restbeat.service.exchange.formats import read_file

from .random_files import made_file

FILES = int(os.environ.get("RESTBEAT_FILES", "500"))
MOST_REFUSED, MOST_OFF = 0.02, 0.01


def figures_of(found):
    """Return the figures of what was read, as `restbeat analyse` computes them."""
    if found.text is not None:
        return whole_text(found.text)[0]
    return whole_recording(found.recording.header, found.recording.events)[0]


def truth_of(made):
    """Return the figures of the intervals from which a file was made."""
    return whole_text(RrText(tuple(made.rr_ms.tolist()), (False,) * made.rr_ms.size))[0]


def off(made, figures):
    """Return what is off by more than a percent, in words."""
    if not made.rr_ms.size:
        return off_of_rates(made, figures)
    truth = truth_of(made)
    pairs = {name: (getattr(figures, name), getattr(truth, name)) for name in ("rmssd_ms", "sdnn_ms", "mean_rr_ms")}
    wrong = [
        f"{name} {value} for {true}"
        for name, (value, true) in pairs.items()
        if value and true and abs(value / true - 1) > MOST_OFF
    ]
    if abs((figures.end_s - figures.start_s) / made.duration_s - 1) > MOST_OFF:
        wrong.append(f"duration {figures.end_s - figures.start_s:.1f} for {made.duration_s:.1f}")
    return wrong


def off_of_rates(made, figures):
    """Return what is wrong with the figures of heart rates, or of a file that holds nothing to read."""
    if made.mean_bpm is None:
        return [f"read, with {figures.beats} beats and RMSSD {figures.rmssd_ms}"]
    wrong = [] if figures.rmssd_ms is None and figures.beats == 0 else [f"RMSSD {figures.rmssd_ms} of heart rates"]
    if figures.mean_hr_bpm is None or abs(figures.mean_hr_bpm / made.mean_bpm - 1) > MOST_OFF:
        wrong.append(f"heart rate {figures.mean_hr_bpm} for {made.mean_bpm}")
    if abs(figures.end_s - made.duration_s) > max(MOST_OFF * made.duration_s, 1.0):
        wrong.append(f"duration {figures.end_s:.1f} for {made.duration_s:.1f}")
    return wrong


@pytest.mark.timeout(7200)
def test_random_files_give_their_hearts_figures_or_are_refused(tmp_path):
    found, refused, without = [], [], []
    for seed in range(FILES):
        made = made_file(np.random.default_rng([7, seed]))
        path = tmp_path / made.name
        path.write_bytes(made.raw)
        try:
            read = read_file(path)
            figures = figures_of(read)
        except RecordingError as error:
            if made.rr_ms.size or made.mean_bpm:
                refused.append((seed, str(error)[:120], made.told))
            continue
        if wrong := off(made, figures):
            found.append((seed, wrong, made.told))
        if figures.rmssd_ms is None and made.rr_ms.size and truth_of(made).rmssd_ms is not None:
            without.append((seed, made.told))
    assert found == []
    assert len(refused) <= MOST_REFUSED * FILES, refused
    assert len(without) <= MOST_REFUSED * FILES, without
