"""What the editor finds by itself, in a real Chromium, is what the server finds with the same code in V8."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from lxml import etree

from service.engine import drawing
from tests.browser.test_modeler import BLANK, Shop, blank, shop, until
from tests.workshop import drawings

pytestmark = pytest.mark.browser
__all__ = ["shop"]

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (0, 1)
MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
BOUNDS = "{http://www.omg.org/spec/DD/20100524/DC}Bounds"
BY_ITSELF = """async xml => {
  const modeler = window.guoheModeler;
  try {
    await modeler.importXML(xml);
  } catch (problem) {
    return null;
  }
  const linting = modeler.get('linting');
  linting.show([]);
  const rules = await linting.lint();
  return Object.entries(rules).flatMap(([rule, reports]) => reports.map(one => [rule, one.id ?? null, one.category, one.message]));
}"""
CATEGORIES = {"error": "error", "warning": "warn", "info": "info"}


def drafts():
    """Our diagrams as they are and untidied, and some that are wrong on purpose."""
    yield "deadlock", drawings.deadlock()
    yield "straight", drawings.straight()
    for path in sorted((ROOT / "processes").glob("*/*.bpmn")):
        yield path.stem, path.read_bytes()
        for seed in SEEDS:
            yield f"{path.stem}-{seed}", untidied(path.read_bytes(), seed)


def untidied(content: bytes, seed: int) -> bytes:
    """A copy without some names and conditions, and with shapes that lie on one another; it can still be drawn."""
    chance = random.Random(seed)
    root = etree.fromstring(content)
    named = [one for one in root.iter(etree.Element) if str(one.tag).startswith(MODEL) and "name" in one.attrib]
    for one in chance.sample(named, min(4, len(named))):
        del one.attrib["name"]
    conditions = list(root.iter(f"{MODEL}conditionExpression"))
    for one in chance.sample(conditions, min(1, len(conditions))):
        one.getparent().remove(one)
    shapes = [one for one in root.iter(BOUNDS) if one.getparent().tag.endswith("BPMNShape")]
    one, other = chance.sample(shapes, 2)
    one.set("x", other.get("x"))
    one.set("y", other.get("y"))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def key(one):
    return [str(part) for part in one]


def test_the_marks_of_the_browser_are_the_findings_of_the_server(shop: Shop):
    copy_id = shop.copy(blank())
    page = shop.page()
    shop.open(page, copy_id, BLANK)
    until(page, "document.querySelector('[data-check-summary]').textContent !== '正在检查…'")
    compared = found = 0
    for name, content in drafts():
        seen = page.evaluate(BY_ITSELF, content.decode())
        if seen is None:
            # bpmn-js draws nothing where a shape has no element; there is nothing to mark.
            continue
        server = [
            [one.rule, one.element_id, CATEGORIES[one.severity], one.zh]
            for one in drawing.check(f"{name}.bpmn", content)
        ]
        assert sorted(map(key, seen)) == sorted(map(key, server)), name
        compared, found = compared + 1, found + len(server)
    assert compared > 60
    assert found > 50


def test_what_the_server_finds_is_marked_at_its_elements_and_counted_once(shop: Shop):
    content = drawings.deadlock().replace(b'name="a"', b"")
    copy_id = shop.copy({BLANK: content})
    page = shop.page()
    shop.open(page, copy_id, BLANK)
    until(page, "document.querySelector('[data-check-list]').innerText.includes('死锁')", 20)
    page.wait_for_selector(".bjsl-overlay")
    listed = page.evaluate(
        """async () => {
          const answer = await fetch(JSON.parse(document.querySelector('[data-editor-input]').textContent).urls.check, {
            method: 'POST',
            headers: {'Content-Type': 'application/json', 'X-CSRFToken': document.querySelector('meta[name=csrf-token]').content},
            body: JSON.stringify({files: {}}),
          });
          return (await answer.json()).findings.filter(one => one.element).map(one => [one.rule, one.element]);
        }"""
    )
    marked = page.evaluate(
        """async () => Object.entries(await window.guoheModeler.get('linting').lint())
          .flatMap(([rule, reports]) => reports.map(one => [rule, one.id]))"""
    )
    assert sorted(marked) == sorted(listed)
    assert ["deadlock", "j"] in marked
    assert page.watch.problems == []
