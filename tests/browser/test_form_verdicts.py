"""The same form, the same values: what Chromium says and sends, and what the server says and keeps."""

from __future__ import annotations

import json
import os
import random
import tempfile
from pathlib import Path

import pytest

from service import forms, frontend

pytestmark = pytest.mark.browser

PAGE = """
import { Form } from "@bpmn-io/form-js-viewer";
import { get } from "min-dash";
import { attachmentsModule } from "ISLAND/attachments";
import { DateFieldsModule } from "ISLAND/dates";
import { TranslateModule } from "ISLAND/translate";

const frames = async () => {
  for (let n = 0; n < 4; n++) await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
};

window.verdict = async (schema, data) => {
  const container = document.body.appendChild(document.createElement("div"));
  const files = { url: "/attachments", limit: 1e6, types: [], instance: null };
  const form = new Form({
    container,
    debounce: false,
    additionalModules: [TranslateModule, attachmentsModule(files), DateFieldsModule],
  });
  await form.importSchema(schema, data);
  await frames();
  form.validate();
  const { errors } = form._getState();
  const problems = {};
  for (const { id, valuePath, indexes } of form.get("formFieldInstanceRegistry").getAllKeyed()) {
    const found = get(errors, [id, ...Object.values(indexes ?? {})]);
    if (found?.length) {
      const path = valuePath.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
      problems[path.replace(/^\\./, "")] = found;
    }
  }
  const values = JSON.parse(JSON.stringify(form._getSubmitData()));
  form.destroy();
  container.remove();
  return { problems, values };
};
"""


@pytest.fixture(scope="module")
def script():
    """The island's own modules around a form, as one script."""
    frontend.build()
    # Inside the project, so that it finds the same packages as the island does.
    with tempfile.TemporaryDirectory(dir=frontend.ROOT / "build") as folder:
        entry, out = Path(folder, "page.ts"), Path(folder, "page.js")
        entry.write_text(PAGE.replace("ISLAND", str(frontend.ROOT / "service/web/frontend/form")))
        compiler = "node_modules/esbuild/bin/esbuild"
        code, output = frontend._node(
            frontend.ROOT, [compiler, str(entry), *frontend.COMMON, "--format=iife", f"--outfile={out}"]
        )
        assert code == 0, output
        return out.read_text()


@pytest.fixture(scope="module", params=["zh-CN", "en"])
def page(request, chromium, script):
    context = chromium.new_context(timezone_id="Asia/Shanghai", locale=request.param)
    page = context.new_page()
    page.set_content(f'<!doctype html><html lang="{request.param}"><body></body></html>')
    page.add_script_tag(content=script)
    page.locale = request.param
    yield page
    context.close()


def compare(page, schema, data):
    """The browser shows the form with ``data``; the server gets what the browser would send of it."""
    seen = page.evaluate("([schema, data]) => window.verdict(schema, data)", [schema, data])
    sent = seen["values"]
    filled = forms.fill(schema, sent, data, locale=page.locale)
    assert filled.problems == seen["problems"], (schema["id"], data)
    assert emptied(filled.values) == emptied(seen["values"]), (schema["id"], data)
    return len(seen["problems"])


def emptied(values):
    """Without lists that have no item: the browser leaves them out, the server says they are empty."""
    if isinstance(values, dict):
        kept = {name: emptied(value) for name, value in values.items() if value != []}
        return {name: value for name, value in kept.items() if value != {}}
    return [emptied(value) for value in values] if isinstance(values, list) else values


def test_the_forms_of_the_processes(page):
    errors = 0
    rng = random.Random(23)
    schemas = [json.loads(path.read_bytes()) for path in sorted((frontend.ROOT / "forms").rglob("*.form"))]
    assert schemas
    for schema in schemas:
        errors += compare(page, schema, {})
        for _ in range(int(os.environ.get("GUOHE_ROUNDS", "6"))):
            errors += compare(page, schema, filled_in(schema, rng))
    assert errors > 100


def test_a_form_of_everything(page):
    from tests.test_forms import EVERYTHING

    rng = random.Random(7)
    assert sum(compare(page, EVERYTHING, filled_in(EVERYTHING, rng)) for _ in range(60)) > 50


def filled_in(component, rng):
    """Values a person might have typed so far, good and bad; now and then a field is left out."""
    data: dict = {}
    for field in component.get("components") or []:
        inside = filled_in(field, rng) if field.get("components") else None
        if field["type"] == "dynamiclist":
            put(data, field.get("path", ""), [filled_in(field, rng) for _ in range(rng.randrange(3))])
        elif inside is not None:
            data |= {} if field.get("path") else inside
            if field.get("path"):
                put(data, field["path"], inside)
        elif field.get("key") and rng.random() < 0.85:
            put(data, field["key"], typed(field, rng))
    return data


def put(data, path, value):
    *parents, last = path.split(".")
    for name in parents:
        data = data.setdefault(name, {})
    data[last] = value


def typed(field, rng):
    options = [option["value"] for option in field.get("values") or []]
    match field["type"]:
        case "number":
            return rng.choice([None, 0, 1, -3, 7, 2.5, 0.125, 1999, 10**7])
        case "checkbox":
            return rng.random() < 0.5
        case "select" | "radio":
            return rng.choice([*options, None, "not offered"])
        case "checklist" | "taglist":
            return rng.sample([*options, "not offered"], rng.randrange(len(options) + 1))
        case "datetime":
            return rng.choice([None, "2026-03-15", "1999-12-31", "2026-3-5", "some day"])
        case "attachments":
            return [{"id": n + 1, "name": f"附件{n}.pdf", "size": 9} for n in range(rng.randrange(2))]
        case "expression":
            return rng.choice([None, 5, "x"])
        case _:
            return rng.choice(["", "x", "甲乙", "li@example.cn", "+8613800000000", "12", "长" * 30, " 空 白 "])


def test_the_page_is_built_from_the_islands_own_modules():
    for name in ("attachments.tsx", "dates.tsx", "translate.ts"):
        assert Path(frontend.ROOT / "service/web/frontend/form" / name).is_file()
