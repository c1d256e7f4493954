"""The site in a real browser: cards on hover, focus and tap; light and dark; narrow and wide; no request to anywhere."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

CARD = "documents/model-card.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def watched(browser: Any, site: Path) -> Iterator[Any]:
    """Opens a page of the site; at the end nothing must have been asked for or complained about."""
    complaints: list[str] = []
    contexts = []

    def visit(name: str, **options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
        page.goto((site / name).as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not complaints


def inside(page: Any, card: Any) -> bool:
    """Whether all of a card is in the window."""
    box, view = card.bounding_box(), page.viewport_size
    return bool(box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= view["width"] and box["y"] + box["height"] <= view["height"])


def test_a_card_shows_on_hover_and_stays_while_the_pointer_is_on_it(watched: Any) -> None:
    page = watched(CARD, viewport={"width": 1300, "height": 900})
    value = page.get_by_role("link", name="19.5 % (95 % CI 14.8–25.3)")
    card = page.locator(".bound", has=value).locator(".card")
    assert not card.is_visible()
    value.hover()
    card.wait_for(state="visible")
    assert "sha256:ab12" in card.inner_text()
    card.get_by_text("Origin").hover()
    assert card.is_visible()
    page.mouse.move(2, 2)
    assert not card.is_visible()


def test_a_card_shows_on_focus_by_keyboard_and_leads_to_the_evidence(watched: Any) -> None:
    page = watched(CARD, viewport={"width": 1300, "height": 900})
    value = page.get_by_role("link", name="0.843")
    value.focus()
    card = page.locator(".bound", has=value).locator(".card")
    assert card.is_visible()
    page.keyboard.press("Tab")
    assert card.is_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/evidence/performance.html#auc")


def test_a_card_shows_on_tap(watched: Any) -> None:
    page = watched(CARD, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    value = page.get_by_role("link", name="19.5 % (95 % CI 14.8–25.3)")
    value.tap()
    card = page.locator(".bound", has=value).locator(".card")
    card.wait_for(state="visible")
    assert inside(page, card)
    assert page.url.split("#")[0].endswith(CARD)


@pytest.mark.parametrize("width", [360, 700, 1024, 1300])
def test_no_card_leaves_the_window_and_no_page_is_too_wide(watched: Any, width: int) -> None:
    page = watched(CARD, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for number in range(page.locator(".value").count()):
        value = page.locator(".value").nth(number)
        value.scroll_into_view_if_needed()
        value.focus()
        card = page.locator(".card").nth(number)
        card.wait_for(state="visible")
        assert inside(page, card), value.inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["index.html", "evidence/performance.html", "statements.html", "not-judged.html"])
def test_other_pages_fit_a_telephone(watched: Any, name: str) -> None:
    page = watched(name, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def contrast(page: Any, selector: str) -> float:
    """The contrast of a text with what is behind it (WCAG 2.2, relative luminance)."""
    script = """selector => {
      const channels = colour => colour.match(/[\\d.]+/g).map(Number);
      const light = colour => { const [r, g, b] = channels(colour).slice(0, 3).map(v => v / 255)
        .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
      const element = document.querySelector(selector); let behind = element, ground = 'rgba(0, 0, 0, 0)';
      while (behind && (channels(ground)[3] ?? 1) === 0) { ground = getComputedStyle(behind).backgroundColor; behind = behind.parentElement; }
      const [a, b] = [light(getComputedStyle(element).color), light(ground)].sort((x, y) => y - x);
      return (a + .05) / (b + .05);
    }"""
    return float(page.evaluate(script, selector))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_enough_contrast(watched: Any, scheme: str) -> None:
    page = watched(CARD, viewport={"width": 1300, "height": 900}, color_scheme=scheme)
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(15, 18, 22)"
    assert dark is (scheme == "dark")
    selectors = ("p", "main a[rel]", ".state", ".ask", ".caption", "nav a", ".foot p", ".stage-draft", "thead th", ".card .rows b", ".card .headline")
    for selector in (*selectors, ".headline.good", ".headline.open", ".headline.bad", ".missing", ".raw"):
        assert contrast(page, selector) >= 4.5, selector


def test_on_paper_there_are_no_cards_but_the_list_of_facts(watched: Any) -> None:
    page = watched(CARD, viewport={"width": 800, "height": 900})
    page.emulate_media(media="print")
    page.locator(".value").first.focus()
    assert not page.locator(".card").first.is_visible()
    assert not page.locator("nav").is_visible()
    assert page.locator(".cited table").is_visible()


def test_the_menu_opens_on_a_telephone_without_a_script(watched: Any) -> None:
    page = watched(CARD, viewport={"width": 360, "height": 740}, java_script_enabled=False)
    assert not page.locator("nav").is_visible()
    page.get_by_role("button", name="Contents").click()
    assert page.locator("nav").is_visible()
