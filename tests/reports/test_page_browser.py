"""The page as a person meets it: in Debian's Chromium, without a network, on a desk, a phone, and paper.

Skipped where there is no Chromium with its driver; CI installs both.
"""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from axe_core_python.selenium import Axe
from pypdf import PdfReader
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from reports.pages.model import Run
from reports.pages.paper import printed
from reports.pages.render import history_page, page

from .test_page import HOSTILE, run_of
from .test_page_history import history
from .test_trends import filled

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None, reason="no chromium with chromedriver (Debian: chromium-driver)"
    ),
    pytest.mark.xdist_group("browser"),
]

WIDEST, PHONE = 1280, 360


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=Service(DRIVER or ""))
    found.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    found.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    yield found
    found.quit()


def opened(
    browser: webdriver.Chrome, folder: Path, content: bytes, lang: str = "en", width: int = WIDEST, dark: bool = False
) -> None:
    file = folder / "page.html"
    file.write_bytes(content)
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    browser.get(file.as_uri())
    browser.find_element(By.CSS_SELECTOR, f'label[for="pick-{lang}"]').click()


def serious(browser: webdriver.Chrome) -> list[tuple[str, str]]:
    found: dict[str, Any] = Axe().run(browser)
    bad = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    return [(each["id"], node["html"][:100]) for each in bad for node in each["nodes"]]


@pytest.mark.parametrize(("lang", "dark"), [("en", False), ("ja", True)], ids=["light", "dark"])
def test_nothing_serious_is_in_the_way_of_anybody(
    browser: webdriver.Chrome, tmp_path: Path, lang: str, dark: bool
) -> None:
    opened(
        browser,
        tmp_path,
        page([run_of(name) for name in ("fail-integrity", "invalid-killed", "pass-no-fault")]),
        lang,
        dark=dark,
    )
    browser.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert serious(browser) == []
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("width", [WIDEST, PHONE])
def test_the_history_is_as_easy_to_read(browser: webdriver.Chrome, tmp_path: Path, width: int) -> None:
    made, found = history(filled(tmp_path / "runs"))
    opened(browser, tmp_path, history_page(made, found.rows, None), "ja", width)
    assert serious(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("name", ["fail-integrity", "invalid-killed"])
def test_nothing_is_wider_than_a_phone(browser: webdriver.Chrome, tmp_path: Path, name: str, lang: str) -> None:
    opened(browser, tmp_path, page([run_of(name)]), lang, PHONE)
    browser.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE
    assert browser.find_element(By.CSS_SELECTOR, f"main.{lang} .phone svg" if name != "invalid-killed" else "h1")


def test_the_language_is_changed_by_keyboard_alone(browser: webdriver.Chrome, tmp_path: Path) -> None:
    opened(browser, tmp_path, page([run_of("pass")]))
    assert browser.find_element(By.CSS_SELECTOR, "main.en").is_displayed()
    assert not browser.find_element(By.CSS_SELECTOR, "main.ja").is_displayed()
    browser.find_element(By.ID, "pick-en").send_keys(Keys.ARROW_RIGHT)
    assert browser.find_element(By.CSS_SELECTOR, "main.ja").is_displayed()
    assert not browser.find_element(By.CSS_SELECTOR, "main.en").is_displayed()


def test_rows_of_evidence_open_by_keyboard(browser: webdriver.Chrome, tmp_path: Path) -> None:
    opened(browser, tmp_path, page([run_of("fail-integrity")]))
    first = browser.find_element(By.CSS_SELECTOR, "main.en details")
    row = first.find_element(By.CSS_SELECTOR, "td")
    assert not row.is_displayed()
    first.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    assert row.is_displayed()


def test_a_hostile_title_is_text(browser: webdriver.Chrome, tmp_path: Path) -> None:
    run = run_of("pass")
    card = msgspec.structs.replace(run.card, title={"en": HOSTILE, "ja": HOSTILE}, drill=HOSTILE)
    opened(browser, tmp_path, page([Run(card, run.history, run.folder)]))
    assert browser.execute_script("return document.scripts.length + document.images.length") == 0
    assert "<script>alert(1)</script>" in browser.find_element(By.TAG_NAME, "h2").text
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_each_drill_takes_two_sheets_at_most(browser: webdriver.Chrome, tmp_path: Path, lang: str) -> None:
    for name in ("fail-integrity", "invalid-killed"):
        opened(browser, tmp_path, page([run_of(name)]), lang)
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        made = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
        paper = PdfReader(io.BytesIO(base64.b64decode(made["data"])))
        assert len(paper.pages) <= 2
        text = "".join(each.extract_text() for each in paper.pages)
        assert ("スコアカード" in text or "判定" in text) == (lang == "ja")


def test_glyphs_of_japanese_are_there(browser: webdriver.Chrome, tmp_path: Path) -> None:
    """A glyph that no font has is drawn as a box, all of them alike."""
    opened(browser, tmp_path, page([run_of("pass")]), "ja")
    alike = browser.execute_script(
        """const draw = letter => { const c = document.createElement('canvas'); c.width = c.height = 40;
        const x = c.getContext('2d'); x.font = '32px ' + getComputedStyle(document.querySelector('main.ja')).fontFamily;
        x.fillText(letter, 2, 34); return c.toDataURL(); };
        return [...'訓練検証証跡基準の回復'].map(draw).filter(each => each === draw('\\uFFFE'));"""
    )
    assert alike == []


def test_the_command_prints_the_same_page(tmp_path: Path) -> None:
    paper = PdfReader(io.BytesIO(printed(page([run_of("fail-objective")], "ja"))))
    assert len(paper.pages) <= 2
    assert "基準" in paper.pages[0].extract_text()
