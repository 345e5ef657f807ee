"""The radio of a practice with Bluetooth proxies: options read from the command line, and what the pages are told."""

from base64 import b64encode
import sys

import pytest

from restbeat.sensors.bluetooth.scanner import StrapSource
from restbeat.sensors.proxies.address import ProxyAddress, ProxyError
from restbeat.service.radio.radio import ProxyOptions, open_radio, read_options

KEY, OTHER = b64encode(bytes(32)).decode(), b64encode(bytes(range(32))).decode()


def test_without_a_proxy_the_radio_is_the_adapter_alone():
    assert read_options([], None, None) == ProxyOptions()


async def test_without_a_proxy_a_strap_is_a_source_of_the_adapter():
    async with open_radio("hci9", ProxyOptions()) as (air, source_of):
        assert isinstance(source_of("C0:FF:EE:00:00:01"), StrapSource)
        assert not air.adapter().ready


def test_proxies_and_their_keys_are_read(tmp_path):
    (tmp_path / "keys").write_text(f"{KEY}\n\n192.168.1.40  {OTHER}\n")
    options = read_options(["192.168.1.40=Blue room", "192.168.1.41"], tmp_path / "keys", None)
    assert options.addresses == (
        ProxyAddress("192.168.1.40", 6053, "Blue room"),
        ProxyAddress("192.168.1.41", 6053, "192.168.1.41"),
    )
    assert options.keys == {"": KEY, "192.168.1.40": OTHER}


def test_a_key_in_the_environment_is_for_all_proxies_and_a_key_file_overrides_it(tmp_path):
    assert read_options(["a"], None, f"{KEY}\n").keys == {"": KEY}
    (tmp_path / "keys").write_text(OTHER)
    assert read_options(["a"], tmp_path / "keys", KEY).keys == {"": OTHER}


@pytest.mark.parametrize("content", ["", "secret", f"host {KEY} more", "c2VjcmV0", "host secret"])
def test_a_malformed_key_file_is_refused_without_showing_a_key(tmp_path, content):
    (tmp_path / "keys").write_text(content)
    with pytest.raises(ProxyError, match="keys") as raised:
        read_options(["a"], tmp_path / "keys", None)
    assert "secret" not in str(raised.value)
    assert KEY not in str(raised.value)


def test_a_proxy_that_is_named_twice_is_refused():
    with pytest.raises(ProxyError, match="named twice"):
        read_options(["blue.local=Blue room", "BLUE.local:6053=Green room"], None, None)


async def test_without_the_proxy_extra_the_error_says_what_to_install(monkeypatch):
    for module in ("strap", "scanner", "proxies"):
        monkeypatch.delitem(sys.modules, f"restbeat.sensors.proxies.{module}", raising=False)
    for module in [name for name in sys.modules if name.startswith("bleak_esphome.")]:
        monkeypatch.delitem(sys.modules, module)  # or an import of it would not ask for the package
    monkeypatch.setitem(sys.modules, "bleak_esphome", None)
    with pytest.raises(ProxyError, match=r"pip install 'restbeat\[proxy\]'"):
        async with open_radio(None, read_options(["127.0.0.1"], None, None)):
            pass


async def test_a_strap_carries_the_room_of_its_nearest_proxy():
    pytest.importorskip("bleak_esphome", reason="the extra restbeat[proxy] is not installed")
    from ...sensors.conftest import until
    from ...sensors.proxies.fake_proxy import FakeStrap, two_proxies

    async with two_proxies() as (blue, green):
        strap = FakeStrap()
        blue.levels[strap], green.levels[strap] = -80, -55
        written = [f"{blue.host}:{blue.port}=Blue room", f"{green.host}:{green.port}=Green room"]
        async with open_radio("hci9", read_options(written, None, None)) as (air, _):
            await until(
                lambda: [seen.near for seen in air.straps()] == ["Green room"] and air.adapter().text == "Bluetooth ready."
            )
            seen = air.straps()[0]
            assert (seen.address, seen.name, seen.rssi_dbm, seen.room) == ("C0:FF:EE:00:00:01", "Polar H10 00000001", -55, None)
            assert air.adapter().ready
