"""The page: complete, escaped, small, and readable by machines that read to people."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from report_samples import HOSTILE, facts, names_of

from amazon_estimators.record_sets.profiles.document import ProfileDocument
from amazon_estimators.record_sets.profiles.feature_profile import ProfileBuilder
from amazon_estimators.reports.facts import ChannelFacts, ReportFacts
from amazon_estimators.reports.html import Html, element, text
from amazon_estimators.reports.page import page
from amazon_estimators.reports.plots import BARS, HEIGHT, heights

SIZE = 2_000_000
ALLOWED = re.compile(
    "html|head|meta|title|style|body|header|h[123]|p|nav|ul|li|a|main|section|dl|dt|dd|div|table|caption|"
    "thead|tbody|tr|th|td|details|summary|svg|path|circle|span|code|footer"
)
WITHOUT_END = {"meta", "tr", "th", "td"}


class Page(HTMLParser):
    """A page as a parser sees it."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.cell = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[str, list[str]] = {}
        self.stack: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in WITHOUT_END:
            self.stack.append(tag)
        self.words.setdefault(tag, []).append("")
        self.cell = tag if tag in WITHOUT_END else ""

    def handle_endtag(self, tag: str) -> None:
        if tag in WITHOUT_END:
            self.cell = ""
            return
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        place = self.cell or (self.stack[-1] if self.stack else "")
        if place in self.words:
            self.words[place][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def fifty() -> str:
    return page(facts(50))


@pytest.fixture(scope="module")
def hostile() -> str:
    names = tuple(name + str(number) for number, name in enumerate(HOSTILE * 4))
    return page(facts(len(names), names=names, text="".join(HOSTILE)))


def test_every_part_is_there_and_warnings_come_first(fifty: str) -> None:
    parsed = Page(fifty)
    parts = ["2 warnings", "Result", "Metrics", "What was read", "What moved", "Hyperparameters"]
    assert parsed.words["h2"] == [*parts, "Seconds and cost", "Lineage", "Features"]
    assert len(parsed.words["h1"]) == 1
    levels = [int(name[1]) for name, _ in parsed.tags if re.fullmatch(r"h\d", name)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_it_says_what_a_reader_asks(fifty: str) -> None:
    said = " ".join(re.sub(r"<[^>]+>", " ", fifty).split())
    for sentence in (
        "120 of 48,331 rows were left out",
        "left out: 1 file that begins with a dot",
        "Passed the gate : test:binary_f_beta is 0.846",
        "5 of 50 features moved.",
        "+0.014 better",
        "learning_rate 0.01 auto a number greater than",
        "Train 298.2 0.0065 USD",
        "s3://churn-data/churn/input/train/2026-01.csv v1",
        "0b1c2d3e4f5a6b7c8d9e0f1a",
        "5 earlier trainings known. The model in use before was trained by churn-5.",
    ):
        assert sentence in said, sentence


def test_it_loads_nothing_and_runs_nothing(fifty: str, hostile: str) -> None:
    for source in (fifty, hostile):
        parsed = Page(source)
        assert [name for name, _ in parsed.tags if not ALLOWED.fullmatch(name)] == []
        attributes = {name for _, given in parsed.tags for name in given}
        assert not {name for name in attributes if name.startswith("on") or name in ("src", "style", "data")}
        assert not re.search(r"url\(|@import|@font-face", source.partition("</style>")[0])
        assert {str(link["href"])[:1] for link in parsed.all("a")} == {"#"}
        (policy,) = [one for one in parsed.all("meta") if one.get("http-equiv")]
        style = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)
        assert len(style) == 1
        digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
        assert policy["content"] is not None
        assert policy["content"].startswith(f"default-src 'none'; style-src 'sha256-{digest}'")


def test_names_of_attackers_are_text(fifty: str, hostile: str) -> None:
    """Markup of a name would change the elements of the page; characters that reorder it are spelled."""
    parsed = Page(hostile)
    assert parsed.stack == []
    shown = "\n".join(parsed.words["th"])
    for name in ("<script>alert(1)</script>", '" onload=alert(1)', "a&amp;b&lt;c", "javascript:alert(1)"):
        assert name in shown
    assert "\\u202etxt.exe\\u202c" in shown
    assert "\\u0000\\u001b[31m" in shown
    assert not {"\u202e", "\x00", "\x1b"} & set(hostile)
    assert "\u0631\u0627\u062a\u0628\u200c\u0647\u0627" in shown
    hostile.encode()  # no half of a character
    assert all(given.get("dir") == "auto" for given in parsed.all("th") if given.get("scope") == "row")


@pytest.mark.parametrize("source", ["fifty", "hostile"])
def test_a_screen_reader_finds_its_way(source: str, request: pytest.FixtureRequest) -> None:
    parsed = Page(request.getfixturevalue(source))
    ids = [str(given["id"]) for _, given in parsed.tags if "id" in given]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    for link in parsed.all("a"):
        assert str(link["href"]).removeprefix("#") in ids
    for section in parsed.all("section"):
        assert section["aria-labelledby"] in ids
    assert parsed.all("html")[0]["lang"] == "en"
    assert all(given.get("scope") in ("row", "col") for given in parsed.all("th"))
    assert all(parsed.words["caption"])
    assert len(parsed.words["caption"]) == len(parsed.all("table"))
    plots = parsed.all("svg")
    assert plots and all(given.get("role") == "img" for given in plots)
    # One title is the page's own.
    titles = parsed.words["title"]
    assert len(titles) == len(plots) + 1
    assert all(titles)


@pytest.mark.parametrize("features", [2_000, 5_000])
def test_thousands_of_features_fit_and_each_has_a_plot(features: int) -> None:
    source = page(facts(features))
    assert len(source.encode()) < SIZE
    parsed = Page(source)
    rows = [name for name in parsed.words["th"] if re.fullmatch(r"[a-z]+_\d+", name)]
    assert set(rows) == set(names_of(features))
    captions = [one for one in parsed.words["caption"] if one.startswith("Profile")]
    assert len(captions) == features // 250
    assert len(parsed.all("details")) == features // 250
    assert len([one for one in parsed.words["title"] if re.match("(Distribution|Range) of", one)]) == features


@pytest.mark.parametrize(("features", "cut"), [(2_000, False), (5_000, True)])
def test_no_name_makes_it_too_large(features: int, cut: bool) -> None:
    names = tuple(f"{'<' * 200}{number}" for number in range(features))
    source = page(facts(features, names=names, text="<" * 5_000))
    assert len(source.encode()) < SIZE
    assert ("more features are left out, to keep the page below 2 MB" in source) == cut


def test_the_least_that_is_known_makes_a_page() -> None:
    parsed = Page(page(ReportFacts(title="nothing", made="now")))
    assert parsed.words["h1"] == ["nothing"]
    assert "h2" not in parsed.words
    parsed = Page(page(ReportFacts(title="one", made="now", job="a", channels=[ChannelFacts(name="train")])))
    assert "The training reported no metrics." in parsed.words["p"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "NaN", None, 1e308, -1e308, 0.0])
def test_metrics_of_any_value_are_told(value: object) -> None:
    made = facts(3)
    odd: dict[str, Any] = {"test:binary_f_beta": value}
    for given in (
        replace(made, metrics=odd),
        replace(made, trainings=[{"job": "a", "metrics": odd}, {"job": "b"}, {"job": "c", "metrics": None}]),
        replace(made, current=("a", odd)),
    ):
        source = page(given)
        assert not re.search(r'd="[^"]*(nan|inf)', source)
        Page(source)


@pytest.mark.parametrize("value", [0.0, 3.4e38, -3.4e38, 1e-45])
def test_profiles_of_extreme_values_are_drawn(value: float) -> None:
    data = np.array([[value, 0.0, -value], [1.0, value, value]], np.float32)
    builder = ProfileBuilder()
    builder.add_dense(data)
    profile = builder.profile()
    assert profile is not None
    for document in (ProfileDocument(profile), ProfileDocument(replace(profile, sketch=None))):
        source = page(
            ReportFacts(title="t", made="now", channels=[ChannelFacts(name="train", profile=document)])
        )
        assert not re.search(r'd="[^"]*(nan|inf)', source)
        assert len(Page(source).all("path")) == 3


def test_bars_are_the_histogram_of_single_values() -> None:
    rng = np.random.default_rng(5)
    values, counts = np.unique(rng.integers(0, 160, 4_000), return_counts=True)
    low = values.astype(float)
    found = heights(low, low, counts, 0.0, 159.0)
    rows, _ = np.histogram(np.repeat(low, counts), BARS, (0.0, 159.0))
    assert found == [round(HEIGHT * count / rows.max()) for count in rows.tolist()]


def test_only_the_pages_own_markup_is_not_escaped() -> None:
    assert text("<b>") == "&lt;b&gt;"
    assert element("p", "<b>", Html("<i>"), title='"') == '<p title="&quot;">&lt;b&gt;<i></p>'
