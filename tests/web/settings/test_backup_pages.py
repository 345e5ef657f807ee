"""The pages of the backups: what the start page tells, and how they are set up."""

from contextlib import asynccontextmanager

from restbeat.service.backups.backup_catalogue import listed_backups
from restbeat.service.practice import open_practice
from restbeat.web.server import serving

from ...service.practice_under_test import Air, Strap
from ..screen import ARTIFACTS, AXE, SIZES, a_page, broken_rules, text, until


@asynccontextmanager
async def a_practice(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "drive").mkdir()
    async with (
        open_practice(tmp_path / "data", tmp_path / "key", Air(), Strap, login=False) as practice,
        serving(practice, "127.0.0.1", 0) as address,
    ):
        yield address


async def test_a_practice_is_told_sets_backups_up_and_has_one_at_once(tmp_path, browser):
    async with a_practice(tmp_path) as address, a_page(browser) as page:
        await page.goto(address)
        assert "No automatic backups are set up" in await text(page, "#backups-amiss p")
        assert not AXE.exists() or await broken_rules(page) == []
        for name, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            await page.screenshot(path=ARTIFACTS / f"backups_start_{name}.png")
        await page.click("#backups-amiss a")
        assert not AXE.exists() or await broken_rules(page) == []
        await page.fill('#backups [name="folder"]', "/nowhere/at/all")
        await page.click("#backups .primary")
        await until(page, "document.getElementById('news').textContent.includes('There is no folder /nowhere/at/all')")
        await page.fill('#backups [name="folder"]', str(tmp_path / "drive"))
        await page.click("#backups .primary")
        await until(page, "document.getElementById('backup-said').textContent.startsWith('Saved')")
        await page.click("#backup-now")
        await until(page, "document.getElementById('backup-said').textContent.startsWith('Done')")
        assert "verified" in await text(page, "#last-backup")
        assert len(listed_backups(tmp_path / "data")) >= 1
        for name, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            await page.evaluate("document.getElementById('backups').scrollIntoView()")
            await page.screenshot(path=ARTIFACTS / f"backups_settings_{name}.png")
        await page.goto(address)
        assert await page.query_selector("#backups-amiss") is None


async def test_the_reminder_can_be_put_off_for_a_month(tmp_path, browser):
    async with a_practice(tmp_path) as address, a_page(browser) as page:
        await page.goto(address)
        await page.click("#remind-later")
        await until(page, "document.getElementById('backups-amiss').hidden")
        await page.goto(address)
        assert await page.query_selector("#backups-amiss") is None
