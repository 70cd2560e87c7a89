"""The steps of a try-out that fill no form: time passes, a program speaks, an incident is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson
from flask import request

from service import clock, errors, workdays

from .. import here

MOST_WORKDAYS = 500


def wait() -> dict[str, Any]:
    return {"wait": "next"}


def workdays_on() -> dict[str, Any]:
    days = here.number("days") or 1
    now = datetime.fromisoformat(request.form.get("now", "")) if request.form.get("now") else clock.now()
    moment = now.astimezone(clock.CHINA)
    if request.form.get("unit") == "hours":
        return {"wait": f"PT{min(days, 10_000)}H"}
    if request.form.get("unit") == "days":
        moment += timedelta(days=min(days, 4000))
    else:
        day = workdays.add(moment.date(), min(days, MOST_WORKDAYS))
        moment = moment.replace(year=day.year, month=day.month, day=day.day)
    return {"until": moment.strftime("%Y-%m-%d %H:%M")}


def publish() -> dict[str, Any]:
    step: dict[str, Any] = {"publish": request.form.get("name", "")}
    if request.form.get("key"):
        step["key"] = request.form["key"]
    if data := _data(request.form.get("data", "")):
        step["data"] = data
    return step


def retry() -> dict[str, Any]:
    step: dict[str, Any] = {"retry": request.form.get("element", "")}
    if data := _data(request.form.get("data", "")):
        step["data"] = data
    return step


def _data(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        made = orjson.loads(text)
    except orjson.JSONDecodeError:
        made = None
    if not isinstance(made, dict):
        raise errors.InvalidInput(
            '数据应为 JSON 对象，例如 {"result": "pass"}。',
            'Data is a JSON object, such as {"result": "pass"}.',
            field="data",
        )
    return made
