"""The page in a headless Chromium: layout, colours, links, and what a screen reader is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, browser, find_browser
from report_samples import HOSTILE, facts

from amazon_estimators.reports.page import page

PATH = find_browser()
pytestmark = pytest.mark.skipif(PATH is None, reason="no Chromium on PATH")
PAGES = ("fifty", "thousands", "hostile")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("pages")
    names = tuple(f"{name}{number}" for number, name in enumerate(HOSTILE * 4))
    sources = {
        "fifty": page(facts(50)),
        "thousands": page(facts(5_000)),
        "hostile": page(facts(len(names), names=names, text="".join(HOSTILE))),
    }
    for name, source in sources.items():
        (directory / f"{name}.html").write_text(source, encoding="utf-8")
    return {name: directory / f"{name}.html" for name in sources}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PATH is not None
    with browser(PATH, tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.mark.parametrize("name", PAGES)
def test_it_asks_for_nothing_and_breaks_no_policy(
    chromium: Browser, pages: dict[str, Path], name: str
) -> None:
    chromium.open(pages[name])
    asked = [
        event["params"]["request"]["url"]
        for event in chromium.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [pages[name].resolve().as_uri()]
    assert [event for event in chromium.events if event["method"] == "Log.entryAdded"] == []
    assert chromium.value("document.scripts.length") == 0
    assert chromium.value("getComputedStyle(document.body).maxWidth") == "1152px"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_window(
    chromium: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    """Wide tables scroll by themselves."""
    chromium.open(pages[name], width=width)
    assert chromium.value("document.documentElement.scrollWidth") <= width
    overlapping = """[...document.querySelectorAll("h2")].map(one => one.getBoundingClientRect().top)"""
    tops = chromium.value(overlapping)
    assert tops == sorted(set(tops))


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_in_light_and_in_dark(chromium: Browser, pages: dict[str, Path], dark: bool) -> None:
    """WCAG 2 asks for a contrast of 4.5 to 1."""
    chromium.open(pages["fifty"], dark=dark)
    lowest = chromium.value(
        """(() => {
          const light = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(part => part / 255)
            .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
            .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
          const behind = element => {
            for (let one = element; one; one = one.parentElement) {
              const colour = getComputedStyle(one).backgroundColor;
              if (!/, 0\\)$/.test(colour)) return light(colour);
            }
          };
          let lowest = 99;
          for (const one of document.querySelectorAll("h1,h2,h3,p,li,dt,dd,th,td,a,caption,summary,span")) {
            const pair = [light(getComputedStyle(one).color), behind(one)].sort((a, b) => b - a);
            lowest = Math.min(lowest, (pair[0] + 0.05) / (pair[1] + 0.05));
          }
          return lowest;
        })()"""
    )
    assert lowest >= 4.5
    paper = chromium.value("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(16, 22, 29)" if dark else "rgb(255, 255, 255)")


def test_links_lead_to_their_parts(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["fifty"])
    count = chromium.value("""document.querySelectorAll("nav a").length""")
    assert count == 8
    for number in range(count):
        chromium.value(f"""document.querySelectorAll("nav a")[{number}].click()""")
        assert chromium.value("""document.querySelector(":target").tagName""") == "H2"


def test_a_screen_reader_is_told_what_there_is(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["fifty"])
    found = {(node["role"], node["name"]) for node in chromium.accessible()}
    for expected in (
        ("heading", "MyStack/Churn"),
        ("heading", "2 warnings"),
        ("region", "Hyperparameters"),
        ("navigation", "Parts of this page"),
        ("columnheader", "mean"),
        ("rowheader", "age_0"),
        ("image", "Distribution of feature 0"),
        ("table", "Metrics of the training"),
    ):
        assert expected in found, expected
    assert {name for role, name in found if role == "image" and not name} == set()


def test_names_of_attackers_do_nothing(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["hostile"])
    assert [event for event in chromium.events if event["method"] == "Page.javascriptDialogOpening"] == []
    assert chromium.value("""document.querySelectorAll("script,img,[onload],[onerror]").length""") == 0
    names = {node["name"] for node in chromium.accessible() if node["role"] == "rowheader"}
    assert "<script>alert(1)</script>0" in names


def test_thousands_of_features_begin_closed(chromium: Browser, pages: dict[str, Path]) -> None:
    chromium.open(pages["thousands"])
    assert chromium.value("""document.querySelectorAll("details").length""") == 20
    assert chromium.value("""document.querySelectorAll("details[open]").length""") == 1
    assert chromium.value("document.documentElement.scrollHeight") < 20_000
