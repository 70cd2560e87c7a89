"""Every sentence exists in both languages, with the same gaps to fill."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask, session
from flask_babel import gettext, refresh

from service.web import catalog, i18n

ISLANDS = Path(__file__).parents[2] / "service" / "web" / "frontend"
OURS = ("page", "form", "viewer")
HAN = re.compile(r"[\u4e00-\u9fff]")
WORD = re.compile(r"[\u4e00-\u9fff]{2}")


@pytest.mark.parametrize("language", catalog.LANGUAGES)
def test_every_sentence_of_the_pages_is_translated(language: str) -> None:
    assert catalog.missing(language) == []


@pytest.mark.parametrize("language", catalog.LANGUAGES)
def test_no_translation_is_left_over(language: str) -> None:
    assert catalog.obsolete(language) == []


@pytest.mark.parametrize("language", catalog.LANGUAGES)
def test_placeholders_are_the_same_in_both_languages(language: str) -> None:
    assert catalog.mistaken(language) == []


def test_no_chinese_is_written_into_a_page_around_gettext() -> None:
    found = []
    for path in sorted((Path(i18n.__file__).parent / "templates").rglob("*.html")):
        source = re.sub(r"(?s)\{#.*?#\}", "", path.read_text("utf-8"))
        source = re.sub(r"""_\(\s*("[^"]*"|'[^']*')""", "", source)
        found += [f"{path.name}: {line.strip()}" for line in source.splitlines() if HAN.search(line)]
    allowed = [line for line in found if "国合</span>" in line or ">中文<" in line]
    assert [line for line in found if line not in allowed] == []


def test_the_islands_say_chinese_only_through_their_words() -> None:
    words = {"words.ts", "messages.ts"}
    found = []
    for path in [one for island in OURS for one in sorted((ISLANDS / island).rglob("*.ts*"))]:
        if path.name in words:
            continue
        source = re.sub(r"(?s)/\*.*?\*/|//[^\n]*", "", path.read_text("utf-8"))
        found += [f"{path.name}: {line.strip()}" for line in source.splitlines() if WORD.search(line)]
    assert found == []


def test_everything_form_js_says_has_a_chinese_sentence() -> None:
    source = Path(__file__).parents[2] / "node_modules/@bpmn-io/form-js-viewer/dist/index.es.js"
    if not source.exists():
        from service import frontend

        frontend.build(say=lambda _line: None)
    asked = set(re.findall(r"""translate\((?:'([^']+)'|"([^"]+)")""", source.read_text("utf-8")))
    said = (ISLANDS / "form" / "messages.ts").read_text("utf-8")
    missing = [one or other for one, other in asked if (one or other) not in said and (one or other) != "HELLO {you}"]
    assert missing == []


def test_english_tells_one_from_many() -> None:
    app = Flask("counting")
    app.jinja_env.autoescape = True
    app.secret_key = "of a test"
    i18n.init_app(app)
    with app.test_request_context():
        session["locale"] = "en"
        said = [
            app.jinja_env.from_string("{{ _('还剩 %(n)s 个工作日', n=n) }}").render(n=n) for n in (0, 1, 2, "1,000")
        ]
        assert said == [
            "0 working days left",
            "1 working day left",
            "2 working days left",
            "1,000 working days left",
        ]
        assert gettext("还剩 %(n)s 个工作日", n=1) == "1 working day left"
        session["locale"] = "zh"
        refresh()
        assert gettext("还剩 %(n)s 个工作日", n=1) == "还剩 1 个工作日"
