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
