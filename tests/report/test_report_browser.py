"""The report in a browser: it draws, it asks nobody for anything, it fits a phone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from sample_run import sample_run

from aidc.report import write

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PHONE, DESK = 390, 1280
READY_MS = 60_000


@pytest.fixture(scope="module")
def browser():
    path = shutil.which("chromium")
    if path is None:
        reason = "no chromium on the PATH; the report was not looked at in a browser"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield found
        found.close()


class Looker:
    """Opens reports and notes whatever they complain of or ask for."""

    def __init__(self, browser, folder: Path) -> None:
        self.browser = browser
        self.folder = folder
        self.complaints: list[str] = []

    def open(self, name: str, width: int, scheme: str = "light", **options):
        return self.show(name, lambda path: write(sample_run(**options), path), width, scheme)

    def show(self, name: str, write_page, width: int, scheme: str = "light"):
        path = self.folder / f"{name}.html"
        write_page(path)
        address = path.as_uri()
        page = self.browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "request",
            lambda request: None if request.url == address else self.complaints.append(request.url),
        )
        page.goto(address)
        page.wait_for_selector("html[data-ready]", state="attached", timeout=READY_MS)
        return page


@pytest.fixture(scope="module")
def looker(browser, tmp_path_factory):
    return Looker(browser, tmp_path_factory.mktemp("report"))


@pytest.fixture(autouse=True)
def _quiet(looker):
    """No test leaves an error on the console or a request behind."""
    yield
    assert looker.complaints == []


@pytest.fixture(scope="module")
def desk(looker):
    page = looker.open("desk", DESK, days=2)
    yield page
    page.close()


@pytest.fixture(scope="module")
def phone(looker):
    page = looker.open("phone", PHONE, "dark", days=2)
    yield page
    page.close()


def until(page, condition: str) -> None:
    """Wait for a condition; the page's own policy forbids the browser to wait for a text of code."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"not within 5 s: {condition}")


# Elements that reach beyond the window, but for those inside a box that scrolls by itself.
BEYOND = """() => [...document.querySelectorAll("body *")]
  .filter((node) => !node.closest(".scroll, .toc"))
  .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
  .map((node) => node.tagName + "." + node.className)"""


# Charts whose box would scroll: a chart fills its box, only the drawing and the tables may scroll.
SCROLLING = """() => [...document.querySelectorAll(".scroll")]
  .filter((box) => box.querySelector(".chart") && box.scrollWidth > box.clientWidth + 1).length"""
RANGE = "document.querySelector('[data-chart={}]').layout.xaxis.range[0]"


@pytest.mark.parametrize("name", ["desk", "phone"])
def test_nothing_reaches_beyond_the_window(request, name):
    page = request.getfixturevalue(name)
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]
    assert page.evaluate(BEYOND) == []
    assert page.evaluate(SCROLLING) == 0


def test_every_chart_is_drawn(desk):
    drawn = desk.eval_on_selector_all(
        "[data-chart]",
        "(divs) => divs.map((div) => [div.dataset.chart, div.querySelectorAll('.trace').length])",
    )
    assert len(drawn) >= 10
    assert [name for name, traces in drawn if traces == 0] == []
    assert desk.locator("svg.sankey path").count() > 20


def test_a_filter_leaves_the_rows_that_match(phone):
    phone.fill('[data-filter="inputs"]', "chat slo ttft")
    rows = phone.locator("#t-inputs tbody tr:visible")
    assert rows.count() == 1
    assert "services.chat.slo.ttft_p99_s" in rows.first.inner_text()
    assert "1 of" in phone.locator('[data-count="inputs"]').inner_text()


def test_a_zoom_moves_every_time_axis_and_all_brings_it_back(desk):
    first, other = (RANGE.format(name) for name in ("power-stack", "plant-temps"))
    before = desk.evaluate(first)
    desk.locator("[data-chart=power-stack]").scroll_into_view_if_needed()
    desk.evaluate(
        "Plotly.relayout(document.querySelector('[data-chart=power-stack]'), "
        "{'xaxis.range': ['2025-07-07 06:00', '2025-07-07 12:00']})"
    )
    desk.locator("[data-chart=plant-temps]").scroll_into_view_if_needed()
    until(desk, f"{other}.startsWith('2025-07-07 06:00')")
    desk.evaluate(
        "Plotly.relayout(document.querySelector('[data-chart=plant-temps]'), {'xaxis.autorange': true})"
    )
    desk.locator("[data-chart=power-stack]").scroll_into_view_if_needed()
    until(desk, f"!{first}.startsWith('2025-07-07 06:00')")
    assert desk.evaluate(first) == before


def test_charts_follow_theme_paper_and_width(looker):
    page = looker.open("dark", DESK, "dark", days=0.5)
    ground = "document.querySelector('[data-chart=power-stack]').layout.paper_bgcolor"
    width = "document.querySelector('[data-chart=power-stack] .main-svg').getBoundingClientRect().width"
    assert page.evaluate(ground) == "#161d28"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    until(page, f"{ground} === '#ffffff' && {width} === 680")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    until(page, f"{ground} === '#161d28' && {width} > 1000")
    page.emulate_media(color_scheme="light")
    until(page, f"{ground} === '#ffffff'")
    page.set_viewport_size({"width": PHONE, "height": 900})
    until(page, f"{width} < {PHONE}")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE
    page.close()


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_foul_run_shows_who_carried_and_who_was_shed(looker, width):
    page = looker.open(f"foul-{width}", width, days=1, foul=True)
    for name in ("supply-sources", "supply-shed", "supply-charge"):
        page.locator(f"[data-chart={name}]").scroll_into_view_if_needed()
        until(page, f"document.querySelectorAll('[data-chart={name}] .trace').length > 0")
    assert "99.436 %" in page.locator("#t-availability tbody tr").first.inner_text()
    assert "14" in page.locator("#t-gensets tbody tr").first.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_a_site_with_little_on_it_draws_too(looker):
    page = looker.open("bare", PHONE, days=0.1, storage=False, pv=False, services=False, jobs=False)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE
    page.close()
