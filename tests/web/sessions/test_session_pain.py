"""Pain before, during and after a session is told alike on every page, in every document and in every export."""
# ruff: noqa: F811 what fixtures are is imported

import json
import re

import pytest

from restbeat.service.commands.convert import convert

from ...service.courses.courses_made import a_course, bench, pages  # noqa: F401 fixtures

MASSAGE_S = 400.0


async def noted(bench, session, *scores):
    """Note pain scores within the massage, as the room page does."""

    def enter(db):
        for n, score in enumerate(scores):
            db.execute("INSERT INTO pain (session, seq, t_s, score) VALUES (?, ?, ?, ?)", (session, 90_000 + n, MASSAGE_S, score))

    await bench.storage.run(enter)


async def text_of(pages, address):
    """Return a page as its reader sees it, without tags."""
    html = await (await pages.get(address)).text()
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


async def fhir_of(bench, session, folder):
    out = folder / "session.fhir.json"
    await convert(str(session), out, bench.storage.folder, minutes=None, force=True)
    resources = [entry["resource"] for entry in json.loads(out.read_text())["entry"]]
    scores = [one for one in resources if one["resourceType"] == "Observation" and "72514-3" in json.dumps(one["code"])]
    return [(one["code"]["text"].rpartition(", ")[2], one["valueQuantity"]["value"]) for one in scores]


@pytest.mark.parametrize(("during", "said"), [((4,), "4 during"), ((), "")])
async def test_pain_asked_before_and_after_and_noted_during_is_the_same_everywhere(bench, pages, tmp_path, during, said):
    (session,) = await a_course(bench, days=(0,), pains=[(6, None)], report=False)
    await noted(bench, session, *during)
    await pages.put(f"/api/v1/sessions/{session}/pain-after", json={"score": 3})

    beside = f", {said}" if said else ""
    assert f"Pain, 0 to 10 6 → 3{beside} before" in await text_of(pages, f"/sessions/{session}")
    client = await text_of(pages, f"/sessions/{session}/summary?lang=en")
    assert re.search(rf"Pain, 0 to 10 6 → 3 {said}", client)
    assert ("during before and after, as you said" in client) is bool(said)

    told = (await (await pages.get(f"/api/v1/sessions/{session}")).json())["pain"]
    expected = [[MASSAGE_S, score] for score in during]
    assert (told["before"], told["after"], told["during"]) == (6, 3, expected)
    notes = await (await pages.get(f"/api/v1/sessions/{session}/notes")).json()
    assert notes["visit"]["pain"] == told
    assert notes["draft"]["assessment"] == "Pain 3 points lower than before the session."
    subjective = "Pain, 0 to 10: 6 before, 3 after; during: 4 at 6:40." if said else "Pain, 0 to 10: 6 before, 3 after."
    assert notes["draft"]["subjective"] == subjective

    course = await (await pages.get("/api/v1/clients/M-014/course")).json()
    (entry,) = course["entries"]
    assert (entry["pain_before"], entry["pain_after"], tuple(entry["pain_during"])) == (6, 3, during)
    assert re.search(rf"6 · 3 · – · – {said}", await text_of(pages, "/clients/M-014/course"))

    scores = [("before", 6), *(("during", score) for score in during), ("after", 3)]
    assert await fhir_of(bench, session, tmp_path) == scores


async def test_a_stop_for_pain_is_the_headline_of_the_therapists_page(bench, pages):
    calm, stopped = await a_course(bench, days=(0, 3), pains=[(6, 5), (6, 8)])
    await bench.storage.run(
        lambda db: db.execute("INSERT INTO mark (session, seq, t_s, note, kind) VALUES (?, 90000, 300, 'x', 'stop')", (stopped,))
    )
    page = await text_of(pages, f"/sessions/{stopped}")
    assert page.index("The massage was stopped because the pain went up.") < page.index("Compared with the quiet minutes")
    assert "Pain 6 → 8" in page
    assert "stopped" not in await text_of(pages, f"/sessions/{calm}")
