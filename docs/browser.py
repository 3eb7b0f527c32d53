"""Opens every built page in the machine's own Chromium: in light, in dark and at the width of a phone.

``nox -s docs -- --browser`` runs it. A page has to show its heading, stay within the window, keep its figures within
their frames, be readable by its contrast, ask the network for nothing and raise no error. The screenshots are for
whoever wants to look: docs/_build/screenshots.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import BrowserContext, ViewportSize, sync_playwright

__all__ = ["main"]

BUILT: Final = Path(__file__).parent / "_build"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
OPTIONS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")

WIDE: Final = "document.documentElement.scrollWidth - window.innerWidth"
OUTSIDE: Final = """[...document.querySelectorAll('svg.figure-of-authgate')].flatMap(figure => {
    const frame = figure.viewBox.baseVal
    return [...figure.querySelectorAll('text, rect')].filter(part => {
        const box = part.getBBox()
        return box.x < 0 || box.y < 0 || box.x + box.width > frame.width || box.y + box.height > frame.height
    }).map(part => part.textContent || part.tagName)
})"""
"""What of a figure sticks out of it."""
FAINT: Final = """(() => {
    const parts = colour => (colour.match(/[\\d.]+/g) || []).map(Number)
    const light = colour => {
        const [r, g, b] = parts(colour).map(v => v / 255).map(v => v <= 0.04 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const behind = part => {
        for (let one = part; one; one = one.parentElement) {
            const colour = getComputedStyle(one).backgroundColor
            if (parts(colour).length === 3 || parts(colour)[3] > 0.9) return colour
        }
        return 'rgb(255, 255, 255)'
    }
    const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05)
    const chosen = 'article p, article li, article td, article h1, article h2, .figure-of-authgate text'
    return [...document.querySelectorAll(chosen)].filter(part => {
        const style = getComputedStyle(part)
        return ratio(part.tagName === 'text' ? style.fill : style.color, behind(part)) < 4.5
    }).map(part => part.textContent.trim().slice(0, 40))
})()"""
"""What cannot be read well: below the contrast that WCAG 2.2 asks of text."""


@dataclass(frozen=True, slots=True)
class Look:
    """One way to look at a page.

    Args:
        name: What its screenshots are called.
        scheme: The colours that the browser asks for.
        width: Of the window, pixels.
        height: Of the window, pixels.
    """

    name: str
    scheme: Literal["light", "dark"]
    width: int
    height: int


LOOKS: Final = (
    Look("light", "light", 1280, 900),
    Look("dark", "dark", 1280, 900),
    Look("phone", "light", 360, 740),
    Look("phone-dark", "dark", 360, 740),
)


def main() -> int:
    """Look at every page in every way; 0 where each is right."""
    browser_path = next(filter(None, map(shutil.which, NAMES)), None)
    if browser_path is None:
        print("no Chromium is here; install one, such as Debian's package chromium")
        return 1
    pages = sorted(
        path
        for path in (BUILT / "html").rglob("*.html")
        if "_static" not in path.parts and path.name != "search.html"
    )
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=[*OPTIONS])
        for look in LOOKS:
            size = ViewportSize(width=look.width, height=look.height)
            context = browser.new_context(color_scheme=look.scheme, viewport=size)
            for page in pages:
                wrong += [f"{_name(page)}, {look.name}: {what}" for what in _looked_at(context, page, look)]
            context.close()
        browser.close()
    print(*wrong, f"{len(pages)} pages in {len(LOOKS)} looks; {len(wrong) or 'nothing'} wrong", sep="\n")
    return 1 if wrong else 0


def _looked_at(context: BrowserContext, path: Path, look: Look) -> Iterator[str]:
    """What is wrong with a page."""
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(f"raised {error}"))
    page.on("request", lambda sent: said.append(f"asked for {sent.url}") if _is_afar(sent.url) else None)
    page.goto(path.as_uri())
    if not page.locator("h1, [role=main]").first.is_visible():
        yield "shows no heading"
    if (over := page.evaluate(WIDE)) > 0:
        yield f"is {over} pixels wider than the window"
    yield from (f"{part!r} sticks out of its figure" for part in page.evaluate(OUTSIDE))
    yield from (f"{text!r} is faint" for text in page.evaluate(FAINT))
    yield from said
    shot = BUILT / "screenshots" / look.name / _name(path).replace(".html", ".png")
    page.screenshot(path=shot, full_page=True)
    page.close()


def _is_afar(url: str) -> bool:
    return not url.startswith(("file:", "data:"))


def _name(path: Path) -> str:
    return str(path.relative_to(BUILT / "html"))


if __name__ == "__main__":
    sys.exit(main())
