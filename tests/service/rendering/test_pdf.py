"""What a client takes home as PDF, through WeasyPrint: one A4, looked at as a picture."""

from contextlib import suppress
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import zlib

from PIL import Image
import pytest

from restbeat.service.documents.client_course import client_course
from restbeat.service.documents.client_summary import client_summary
from restbeat.service.documents.export_pages import course_files, summary_files
from restbeat.service.documents.page_templates import PAPER_FILES, STATIC, Frame
from restbeat.service.errors import WorkerError
from restbeat.service.rendering.pdf import NO_PAPER, PaperError, pdf_of
from restbeat.service.worker.worker import Worker
from tests.web.made_up import report
from tests.web.take_home import a_course, a_session, a_visit, crowded, english, german, too_little

ARTIFACTS = Path(__file__).parents[3] / "artifacts"
FILES = {name: (STATIC / name).read_bytes() for name in PAPER_FILES}
SESSIONS = {
    "usual": a_session,
    "crowded": crowded,
    "too-little": lambda: a_session(report=too_little()),
    "rate-only": lambda: a_session(report=report(hrv=False)),
    "stopped": lambda: a_session(visit=a_visit(stopped=True)),
}


def html_of(session, speech):
    return client_summary(session, speech, Frame(static=lambda name: name))


def inflated(pdf):
    """The file, and the objects that it holds deflated."""
    yield pdf
    for stream in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL):
        with suppress(zlib.error):
            yield zlib.decompress(stream)


def pages_of(pdf):
    """How many sheets of A4 it has."""
    objects = b"".join(inflated(pdf))
    assert re.search(rb"/MediaBox\s*\[0 0 595\.\d+ 841\.\d+\]", objects)
    return len(re.findall(rb"/Type\s*/Page\b", objects))


@pytest.fixture
def weasyprint():
    """Here, or under CI a failure."""
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"WeasyPrint is missing, and under CI nothing is skipped: {error}")
        pytest.skip("WeasyPrint is not installed")
    ARTIFACTS.mkdir(exist_ok=True)
    return weasyprint


@pytest.mark.parametrize("speech", [english(), german()], ids=lambda speech: speech.language)
@pytest.mark.parametrize("kind", SESSIONS)
def test_the_summary_is_one_a4_as_pdf(weasyprint, kind, speech):
    pdf = pdf_of(html_of(SESSIONS[kind](), speech), FILES)
    file = ARTIFACTS / f"take-home-{kind}-{speech.language}.pdf"
    file.write_bytes(pdf)
    assert pages_of(pdf) == 1


@pytest.mark.parametrize("speech", [english(), german()], ids=lambda speech: speech.language)
def test_a_course_of_twelve_sessions_is_two_a4_as_pdf(weasyprint, speech):
    pdf = pdf_of(client_course(a_course(), speech, Frame(static=lambda name: name)), FILES)
    (ARTIFACTS / f"course-{speech.language}.pdf").write_bytes(pdf)
    assert pages_of(pdf) == 2


@pytest.mark.parametrize("kind", ["usual", "crowded"])
def test_the_pdf_renders_as_expected(weasyprint, kind, tmp_path):
    """White paper with margins; dark words at the top, the picture's blue line in the middle, nothing cut off at the foot."""
    if shutil.which("pdftoppm") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("pdftoppm is missing, and under CI nothing is skipped")
        pytest.skip("pdftoppm is not installed")
    (tmp_path / "page.pdf").write_bytes(pdf_of(html_of(SESSIONS[kind](), german()), FILES))
    subprocess.run(["pdftoppm", "-r", "72", "-png", "-singlefile", tmp_path / "page.pdf", tmp_path / "page"], check=True)
    image = Image.open(tmp_path / "page.png").convert("RGB")
    image.save(ARTIFACTS / f"take-home-{kind}-paper.png")
    width, height = image.size
    dark = image.convert("L").point(lambda value: 255 if value < 128 else 0)
    left, top, right, bottom = dark.getbbox()
    assert 40 < left < 60
    assert width - 60 < right < width - 40
    assert 30 < top < 60
    assert bottom < height - 24
    assert bottom > height * 0.7
    pixels = [image.getpixel((x, y)) for x in range(0, width, 2) for y in range(0, height, 2)]
    assert sum(pixel[2] > pixel[0] + 90 for pixel in pixels) > 40  # the line
    assert sum(min(pixel) > 245 for pixel in pixels) / len(pixels) > 0.6


def test_a_pdf_loads_only_the_given_files(weasyprint, tmp_path):
    secret = tmp_path / "secret.css"
    secret.write_text("p { display: none }")
    served = "http://127.0.0.1:9/x.css"
    html = f'<link rel="stylesheet" href="file://{secret}"><link rel="stylesheet" href="{served}"><p>still here</p>'
    plain = pdf_of("<p>still here</p>", {})
    assert abs(len(pdf_of(html, {})) - len(plain)) < 40


def test_an_export_without_the_extra_has_the_page_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    assert list(summary_files(a_session(), "de")) == ["summary.html"]
    assert list(course_files(a_course(), "de")) == ["course.html"]


def test_an_export_is_in_the_clients_language_or_english():
    for language, begins in (("de", b'<!doctype html>\n<html lang="de"'), (None, b'<!doctype html>\n<html lang="en"')):
        assert summary_files(a_session(), language)["summary.html"].startswith(begins)
        assert course_files(a_course(), language)["course.html"].startswith(begins)


async def test_without_the_extra_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    from restbeat.service.rendering import pdf

    assert pdf._pdf("<p>x</p>", {}) == NO_PAPER

    async def no_process(self, function, *args):
        return function(*args)

    monkeypatch.setattr(Worker, "run", no_process)
    with pytest.raises(PaperError, match=r"pip install 'restbeat\[pdf\]'"):
        await pdf.make_pdf(Worker(), "<p>x</p>", {})
    assert not issubclass(PaperError, WorkerError)
