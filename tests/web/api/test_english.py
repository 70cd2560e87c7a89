from __future__ import annotations

import json

from .conftest import CHECK, WITH_FORM, Api

ENGLISH = {"审核": "Check", "理由": "Reason"}


def test_programs_read_steps_and_forms_in_the_language_they_ask_for(api: Api):
    api.office.deploy(
        WITH_FORM.replace(b'name="a"', 'name="审核"'.encode()),
        check__form=CHECK.replace(b'"label": "reason"', '"label": "理由"'.encode()),
        en__json=json.dumps(ENGLISH, ensure_ascii=False).encode(),
    )
    task = api.office.open(api.office.start("checked"))["a"]
    li = api.as_("li")
    english = {"headers": {"Accept-Language": "en"}}
    assert li.get(f"/tasks/{task}").get_json()["name"] == "审核"
    assert li.get(f"/tasks/{task}", **english).get_json()["name"] == "Check"
    assert [one["name"] for one in li.get("/tasks?box=group", **english).get_json()["items"]] == ["Check"]
    form = li.get(f"/tasks/{task}/form", **english).get_json()["form"]
    assert [one["label"] for one in form["components"]] == ["decision", "Reason"]
    assert [one["key"] for one in form["components"]] == ["decision", "reason"]
    assert li.post(f"/tasks/{task}/claim", **english).get_json()["name"] == "Check"
