"""Identities: encrypted with a key outside the database, found by name, and the case of a lost key."""
# ruff: noqa: F811 what fixtures are is imported

import pytest

from restbeat.service.clients.models import Identity
from restbeat.service.errors import RefusedError
from restbeat.service.storage.encryption import key_file_of

from ..practice_under_test import audit, open_room
from .test_clients import bench, records  # noqa: F401 fixtures

WHO = Identity(name="Erika Mustermann", email="erika@example.org", phone="030 123", language="de", note="by tram")


async def test_an_identity_is_stored_encrypted_and_only_this_user_can_read_its_key(bench, records, tmp_path):
    await records.add("M-001", by="Ada")
    assert await records.identity("M-001", by="Ada") == Identity()
    assert not bench.cipher.path.exists()
    await records.set_identity("M-001", WHO, new_key=False, by="Ada")
    assert await records.identity("M-001", by="Ada") == WHO
    assert bench.cipher.path.parent == tmp_path
    assert bench.cipher.path.stat().st_mode & 0o777 == 0o600
    await bench.storage.flush()
    held = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    key = bench.cipher.path.read_bytes().strip()
    for secret in (b"Erika", b"Mustermann", b"example.org", b"030 123", b"by tram", key):
        assert secret not in held
    assert not [detail for *_, detail in await audit(bench) if detail]


async def test_a_client_is_found_by_name_and_the_log_names_the_client_but_not_the_text(bench, records):
    for who in (WHO, Identity(name="Jean Dupont"), Identity()):
        row = await records.add(None, by="Ada")
        await records.set_identity(row.client, who, new_key=False, by="Ada")
    assert [row.client for row in await records.find("musterm", by="Bo")] == ["M-001"]
    assert [row.client for row in await records.find("ERIKA@", by="Bo")] == ["M-001"]
    assert await records.find("nobody", by="Bo") == []
    found = [(client, detail) for actor, action, client, _, detail in await audit(bench) if action == "found by name"]
    assert found == [("M-001", None), ("M-001", None)]


async def test_a_lost_key_is_explained_and_breaks_nothing_else(bench, records):
    await records.add("M-001", by="Ada")
    await records.set_identity("M-001", WHO, new_key=False, by="Ada")
    kept = bench.cipher.path.read_bytes()
    bench.cipher.path.unlink()
    for asked in (records.identity("M-001", by="Ada"), records.find("Erika", by="Ada")):
        with pytest.raises(RefusedError, match=r"is not at .*Put it back from your copy\. Sessions, figures and notes"):
            await asked
    assert (await records.client("M-001", by="Ada")).identity == "locked"
    await open_room(bench, client="M-001")
    with pytest.raises(RefusedError, match="If the key is lost for good, say so"):
        await records.set_identity("M-001", WHO, new_key=False, by="Ada")
    assert not bench.cipher.path.exists()
    bench.cipher.path.write_bytes(kept)
    assert await records.identity("M-001", by="Ada") == WHO
    assert (await records.client("M-001", by="Ada")).identity == "kept"


async def test_after_a_new_key_the_old_one_still_decrypts_once_it_is_put_back(bench, records):
    for who in (WHO, Identity(name="Jean Dupont")):
        row = await records.add(None, by="Ada")
        await records.set_identity(row.client, who, new_key=False, by="Ada")
    old = bench.cipher.path.read_bytes()
    bench.cipher.path.unlink()
    await records.set_identity("M-002", Identity(name="Jean D."), new_key=True, by="Ada")
    with pytest.raises(RefusedError, match=r"Another key than that in .* sealed this"):
        await records.identity("M-001", by="Ada")
    assert [row.client for row in await records.find("jean", by="Ada")] == ["M-002"]
    bench.cipher.path.write_bytes(bench.cipher.path.read_bytes() + old)
    assert await records.identity("M-001", by="Ada") == WHO
    bench.cipher.path.write_bytes(b"not a key")
    with pytest.raises(RefusedError, match="holds no key"):
        await records.identity("M-001", by="Ada")


async def test_a_key_that_cannot_be_made_is_reported(bench, records, tmp_path):
    (tmp_path / "file").write_text("")
    bench.cipher.path = tmp_path / "file" / "x.key"
    await records.add("M-001", by="Ada")
    with pytest.raises(RefusedError, match="choose another place with --key-file"):
        await records.set_identity("M-001", WHO, new_key=False, by="Ada")


def test_the_key_lies_beside_the_chosen_data_folder_or_in_the_configuration(tmp_path, monkeypatch):
    assert key_file_of(tmp_path / "k", tmp_path / "data") == tmp_path / "k"
    assert key_file_of(None, tmp_path / "data") == tmp_path / "data.key"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert key_file_of(None, None).parts[-2:] == ("restbeat", "identity.key")
