"""The course in a client's export: a page, and a PDF where WeasyPrint is installed."""
# ruff: noqa: F811 what fixtures are is imported

from datetime import timedelta
from io import BytesIO
import os
import re
import zipfile

import pytest

from restbeat.service.clients.consents import give, withdraw
from restbeat.service.clients.models import Identity
from restbeat.service.privacy.data_requests import DataRequests

from ..courses.courses_made import BEGIN, a_course, audited, bench, pages  # noqa: F401 fixtures


async def exported(bench, tmp_path):
    """Return the files at the root of an export of M-014."""
    rights = DataRequests(bench.storage, bench.worker, bench.cipher, bench.rooms, now_utc=bench.clock)
    with zipfile.ZipFile(BytesIO((await rights.export("M-014", by="Ada")).content)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if "/" not in name}


def words(html):
    """Return the text of a page between header and footer."""
    main = re.search(r"<main.*</main>", html, re.DOTALL)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", main))


async def test_an_export_holds_the_course_as_its_client_reads_it(bench, pages, tmp_path):
    await a_course(bench, days=(0, 3, 7, 10, 14), pains=[(7, 5), (6, 5), (6, 4), (7, 4), (6, 4)], report=False)
    await bench.records.set_identity("M-014", Identity(name="Erika", language="de"), new_key=False, by="Ada")
    bench.clock.now = BEGIN + timedelta(days=17)
    files = await exported(bench, tmp_path)
    html = files["course.html"].decode()
    assert '<html lang="de" class="own">' in html
    assert "/static/" not in html
    await bench.courses.course("M-014", "course", by="Ada")  # the fifth is analysed anew at the second look
    shown = await (await pages.get("/clients/M-014/course/client")).text()
    assert words(html) == words(shown)
    assert "Über 5 Sitzungen schwankte Ihr Herzrhythmus" in words(html)


async def test_without_consent_to_comparison_the_course_of_an_export_compares_nothing(bench, tmp_path):
    await a_course(bench, days=(0, 3, 7, 10))
    consent = await bench.storage.run(lambda db: give(db, "M-014", "trends", "Ada", BEGIN).consent)
    await bench.storage.run(lambda db: withdraw(db, "M-014", consent, "Ada", BEGIN))
    said = words((await exported(bench, tmp_path))["course.html"].decode())
    assert "You have not agreed to have your sessions compared over time" in said
    assert "RMSSD" not in said


async def test_a_client_without_a_session_has_a_course_that_says_so(bench, tmp_path):
    await bench.records.add("M-014", by="Ada")
    files = await exported(bench, tmp_path)
    assert "No session has taken place yet." in words(files["course.html"].decode())


async def test_the_course_is_a_pdf_too(bench, pages, tmp_path):
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"WeasyPrint is missing, and under CI nothing is skipped: {error}")
        pytest.skip("WeasyPrint is not installed")
    await a_course(bench, days=(0, 3))
    html = await (await pages.get("/clients/M-014/course/client?lang=de")).text()
    address = re.search(r'href="([^"]*client\.pdf[^"]*)"', html)[1]
    answer = await pages.get(address)
    assert (answer.status, answer.content_type) == (200, "application/pdf")
    assert (await answer.read()).startswith(b"%PDF")
    assert "M-014" not in answer.headers["Content-Disposition"]
    assert [action for _, action in await audited(bench, "M-014")].count("client's course looked at") == 2
    assert (await exported(bench, tmp_path))["course.pdf"].startswith(b"%PDF")
