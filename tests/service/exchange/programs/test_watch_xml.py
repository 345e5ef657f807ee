"""XML of watches: intervals in elements that are named for them."""

import pytest

from restbeat.sensors.errors import RecordingError
from restbeat.service.exchange.formats import read_file

RR = [812, 799, 801, 830, 825, 798, 790, 812, 840, 803, 815, 822]


@pytest.mark.parametrize(
    "text",
    [
        f"<openambit><log><IBI>{' '.join(map(str, RR))}</IBI></log></openambit>",
        f'<sml xmlns="urn:sml"><DeviceLog><R-R><Data>{" ".join(map(str, RR))}</Data></R-R></DeviceLog></sml>',
        f"<polar><sample><type>RR</type><values>{','.join(map(str, RR))}</values></sample></polar>",
        "<beats>" + "".join(f"<rr>{one / 1000}</rr>" for one in RR) + "</beats>",
    ],
)
def test_the_intervals_are_found_where_an_element_is_named_for_them(tmp_path, text):
    path = tmp_path / "made.xml"
    path.write_text(text)
    assert read_file(path).text.rr_ms == pytest.approx(RR)


@pytest.mark.parametrize("text", ["<a><b>1 2 3</b></a>", "<a", '<!DOCTYPE a [<!ENTITY b "c">]><a><RR>&b;</RR></a>'])
def test_other_xml_is_refused_in_a_sentence(tmp_path, text):
    path = tmp_path / "made.xml"
    path.write_text(text)
    with pytest.raises(RecordingError, match="XML"):
        read_file(path)


def test_polars_heart_rates_are_read_at_their_recording_rate(tmp_path):
    """Polar Personal Trainer's XML: `result` with `recording-rate` in s, and samples of the type HEARTRATE with `values`."""
    values = ",".join(str(70 + n % 3) for n in range(51))
    samples = f"<samples><sample><type>HEARTRATE</type><values>{values}</values></sample></samples>"
    path = tmp_path / "exercise.xml"
    path.write_text(
        '<?xml version="1.0"?><polar-exercise-data xmlns="http://www.polarpersonaltrainer.com"><calendar-items><exercise><result>'
        f"<recording-rate>5</recording-rate>{samples}</result></exercise></calendar-items></polar-exercise-data>"
    )
    found = read_file(path)
    assert found.source.kind == "heart rates"
    assert [event.t for event in found.recording.events] == [5.0 * n for n in range(1, 52)]
