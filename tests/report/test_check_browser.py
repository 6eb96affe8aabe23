"""The report of a check in a browser: it draws, asks nobody for anything, fits a phone, zooms window by window."""

from __future__ import annotations

import pytest
import sample_check as sample
from test_report_browser import BEYOND, DESK, PHONE, SCROLLING, Looker, browser, until

from aidc.report.check.page import write_check, write_transient

__all__ = ["browser"]
RANGE = "document.querySelector('[data-chart={}]').layout.xaxis.range[0]"


@pytest.fixture(scope="module")
def looker(browser, tmp_path_factory):
    return Looker(browser, tmp_path_factory.mktemp("check"))


@pytest.fixture(autouse=True)
def _quiet(looker):
    yield
    assert looker.complaints == []


@pytest.fixture(scope="module")
def desk(looker):
    page = looker.show("desk", lambda path: write_check([sample.real_result(trip=True)], path), DESK)
    yield page
    page.close()


@pytest.fixture(scope="module")
def phone(looker):
    page = looker.show("phone", lambda path: write_check([sample.all_four()], path), PHONE, "dark")
    yield page
    page.close()


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
    assert len(drawn) >= 20
    assert [name for name, traces in drawn if traces == 0] == []


def test_the_verdicts_need_no_sideways_scroll(desk, phone):
    for page in (desk, phone):
        box = page.locator(".scroll:has(#t-verdicts-0)")
        assert box.evaluate("(node) => node.scrollWidth <= node.clientWidth + 1")


@pytest.mark.parametrize("name", ["desk", "phone"])
def test_chips_read_without_their_colours(request, name):
    """The word, a mark and the border differ; text on its ground has a contrast of 4.5 (WCAG 2.2, 1.4.3)."""
    page = request.getfixturevalue(name)
    chips = page.eval_on_selector_all(
        "#t-verdicts-0 .chip",
        """(nodes) => nodes.map((node) => {
          const style = getComputedStyle(node);
          const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
          const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
            .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
          const solid = (it) => { const c = numbers(getComputedStyle(it).backgroundColor); return c.length < 4 || c[3] > 0 ? c : solid(it.parentElement); };
          const [high, low] = [light(numbers(style.color)), light(solid(node))].sort((a, b) => b - a);
          return [node.innerText.trim(), style.borderTopStyle, (high + 0.05) / (low + 0.05)];
        })""",
    )
    assert min(contrast for _, _, contrast in chips) >= 4.5
    looks = {text: border for text, border, _ in chips}
    assert looks["? not assessable"] == "dashed"
    assert looks["✕ fail"] == "solid"


def test_a_filter_leaves_the_rows_that_match(phone):
    phone.fill('[data-filter="verdicts-0"]', "not assessable filter")
    rows = phone.locator("#t-verdicts-0 tbody tr:visible")
    assert rows.count() == 1
    assert "filter not defined" in rows.first.inner_text()
    phone.fill('[data-filter="verdicts-0"]', "")


def test_a_zoom_moves_the_charts_of_its_window_alone(desk):
    mine, other = RANGE.format("w0-dc"), RANGE.format("w1-v")
    before = desk.evaluate(other)
    desk.locator("[data-chart=w0-v]").scroll_into_view_if_needed()
    desk.evaluate("Plotly.relayout(document.querySelector('[data-chart=w0-v]'), {'xaxis.range': [0.9, 1.4]})")
    desk.locator("[data-chart=w0-dc]").scroll_into_view_if_needed()
    until(desk, f"{mine} === 0.9")
    desk.locator("[data-chart=w1-v]").scroll_into_view_if_needed()
    desk.wait_for_timeout(200)
    assert desk.evaluate(other) == before


def test_a_chart_follows_the_paper(looker):
    page = looker.show("paper", lambda path: write_check([sample.all_four()], path), DESK, "dark")
    ground = "document.querySelector('[data-chart=w0-v]').layout.paper_bgcolor"
    assert page.evaluate(ground) == "#161d28"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    until(page, f"{ground} === '#ffffff'")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    until(page, f"{ground} === '#161d28'")
    page.close()


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_transient_draws(looker, width):
    page = looker.show("transient", lambda path: write_transient(sample.transient(), path), width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(BEYOND) == []
    assert page.locator("[data-chart] .trace").count() > 8
    page.close()
