"""One scenario as steps on a page: shown, changed, and held against what came of it."""

from __future__ import annotations

import posixpath
from typing import Any

from flask import Response, flash, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from service import errors, sandbox, scenariotext
from service.commands.procedures import scenarioruns, storyboard, workshop
from service.commands.procedures.workshop import Change
from service.models import User
from service.queries import rehearsals
from service.queries import workshop as reads

from .. import here, i18n
from . import drafts, scenarios, stepfields, steps
from .workbench import blueprint

MOST_INSIDE = 30
DEEPEST_PART = 6


@blueprint.get("/<int:copy_id>/scenarios/<path:path>")
def scenario(copy_id: int, path: str) -> str:
    """Show one scenario: its steps, to be changed here, and what came of it."""
    with here.reading() as (session, user):
        return _page(session, user, copy_id, path)


@blueprint.get("/<int:copy_id>/scenario-diagram")
def scenario_diagram(copy_id: int) -> Response:
    """The diagram with the way the scenario took, and the element where it came otherwise."""
    path, process_id = request.args.get("path", ""), request.args.get("process", "")
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        files = workshop.files(session, copy)
        runs = rehearsals.scenario_runs(session, user, copy_id=copy_id)
        (result, _fresh, _at) = scenarios.result_of(path, runs, scenarioruns.files_hash(files))
    marks: dict[str, list[str]] = {"active": [], "done": [], "cancelled": [], "incidents": [], "flows": []}
    if result is not None:
        marks["flows"] = [flow for process, flow in result.get("flows", []) if process == process_id]
        marks["active"] = [element for process, element in result.get("at", []) if process == process_id]
        if not result["ok"] and result.get("element"):
            marks["incidents"] = list(dict.fromkeys(one["element"] for one in scenarios.said(result) if one["element"]))
            marks["active"] = [one for one in marks["active"] if one not in marks["incidents"]]
    notes: dict[str, str] = {}
    for one in scenarios.said(result):
        if one["element"]:
            notes[one["element"]] = f"{notes.get(one['element'], '')}{one['text']}"
    xml = rehearsals.diagram(files, process_id).decode("utf-8", "replace")
    return jsonify({"xml": xml, "marks": marks, "notes": notes})


@blueprint.post("/<int:copy_id>/scenario-edit")
def scenario_edit_submit(copy_id: int) -> AnyResponse | tuple[str, int]:
    """Change a scenario: one step, its order, its expectation, its name, or its text as a whole."""
    form = request.form
    path = form.get("path", "")
    try:
        with here.writing() as (session, user):
            copy = reads.copy(session, user, copy_id)
            before = reads.content(session, copy, path)
            text = _edited(before.content.decode("utf-8", "replace"), storyboard.of(workshop.files(session, copy)))
            change = {path: Change(text.encode(), form.get("base") or before.sha256)}
            workshop.save(session, copy_id, change, user=user, kind="save", comment=_("修改场景"))
    except (
        scenariotext.Unchangeable,
        errors.InvalidInput,
        errors.TooLarge,
        errors.NotFound,
        workshop.EditConflict,
    ) as refused:
        with here.reading() as (session, user):
            return _page(session, user, copy_id, path, refused.sentence(i18n.choice()), dict(form)), refused.status
    act, number = form.get("act"), here.number("number") or 0
    if act == "add" and form.get("fill") == "1":
        return redirect(url_for("modeler.scenario_form", copy_id=copy_id, path=path, number=number), 303)
    place = f"#step-{number}" if act in ("add", "step", "step_text", "expect_step") else ""
    return redirect(url_for("modeler.scenario", copy_id=copy_id, path=path) + place, 303)


@blueprint.post("/<int:copy_id>/scenario-example")
def scenario_example_submit(copy_id: int) -> AnyResponse:
    """Take what happens at an expectation as what is expected there."""
    path, number = request.form.get("path", ""), here.number("number")
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        file, draft = reads.content(session, copy, path), drafts.as_it_is(session, copy)
    text = file.content.decode("utf-8", "replace")
    script = scenariotext.take_apart(text)
    part = script.parts[number] if number is not None and number < len(script.parts) else None
    like = (part.raw or {}).get("expect", {}) if part is not None else script.expect
    keys = [key for key in like if key != "mails"] or ["tasks", "ended"]
    if part is None and "mails" in like:
        keys = [key for key in like if key != "mails"]
    with drafts.pool().once(draft) as box:
        played_to(box, path, part.line if part is not None else None)
        made = box.ask("example", keys=keys, like=like)["expect"]
    expect = {key: made.get(key, value) for key, value in like.items()} if like else made
    if part is not None and number is not None:
        text = scenariotext.replace(text, number, {**(part.raw or {}), "expect": expect})
    else:
        text = scenariotext.set_expect(text, expect)
    saved(copy_id, path, text, file.sha256, _("以实际结果为预期"))
    flash(_("已采用实际结果，请核对后再运行一次。"), "good")
    return redirect(url_for("modeler.scenario", copy_id=copy_id, path=path), 303)


def _page(
    session: Session, user: User, copy_id: int, path: str, problem: str = "", typed: dict[str, Any] | None = None
) -> str:
    copy = reads.copy(session, user, copy_id)
    file = reads.content(session, copy, path)
    files = workshop.files(session, copy)
    story = storyboard.of(files)
    text = file.content.decode("utf-8", "replace")
    runs = rehearsals.scenario_runs(session, user, copy_id=copy_id)
    result, fresh, at = scenarios.result_of(path, runs, scenarioruns.files_hash(files))
    try:
        script, broken = scenariotext.take_apart(text), ""
    except (errors.InvalidInput, errors.TooLarge) as wrong:
        script, broken = None, wrong.sentence(i18n.choice())
    head = script.head if script is not None else {}
    process_id = str(head.get("process") or path.rpartition("/scenarios/")[0].rpartition("/")[2])
    shown_process = request.args.get("process") or (result or {}).get("shown") or process_id
    walked = list(dict.fromkeys([process_id, *[process for process, _flow in (result or {}).get("flows", [])]]))
    walked = [one for one in walked if one in story.processes]
    if result is not None and not result["ok"] and not request.args.get("process"):
        shown_process = story.process_of(result.get("element") or "") or shown_process
    failed_at = _failed_at(script, result) if result is not None and not result["ok"] else None
    return here.page(
        session,
        "modeler/scenario.html",
        copy=copy,
        path=path,
        file=file,
        text=(typed or {}).get("text", text) if (typed or {}).get("act") == "text" else text,
        script=script,
        head=head,
        name=head.get("name") or path.rpartition("/")[2],
        process_id=process_id,
        process_name=story.processes.get(process_id, process_id),
        shown_process=shown_process if shown_process in story.processes else "",
        walked=[(one, story.processes[one]) for one in walked],
        starting=_starting(head, process_id, story),
        steps=[_listed(number, part, story, path, files) for number, part in enumerate(script.parts)] if script else [],
        expect=_expectation(script.expect, story) if script else [],
        expect_text=scenariotext.step_text(script.expect) if script and script.expect else "",
        failed_at=failed_at,
        said=scenarios.said(result),
        expected=failed_at == -1 or (script is not None and failed_at is not None and _expects(script, failed_at)),
        result=result,
        fresh=fresh,
        at=at,
        going=scenarios.going(runs[0]) if runs else False,
        run=runs[0] if runs else None,
        story=story,
        picks=stepfields.picks(story, process_id, script),
        expecting=stepfields.shown(script.expect or {}) if script else None,
        english=i18n.choice() == "en",
        problem=problem or broken,
        broken=bool(broken),
    )


def _starting(head: dict[str, Any], process_id: str, story: storyboard.Storyboard) -> dict[str, Any]:
    """How the case begins: who starts it with which data, whether there is a form, or that nobody does."""
    found = head.get("start")
    start: dict[str, Any] = found if isinstance(found, dict) else {}
    by = str(start.get("by") or "")
    data = start.get("data")
    person = next((one for one in storyboard.PEOPLE if one[0] == by), None)
    return {
        "nobody": bool(start.get("none")),
        "by": by,
        "by_words": (person[2] if i18n.choice() == "en" else person[1]) if person else by,
        "formed": process_id in story.starts,
        "facts": steps.facts(data, story.labels_at(process_id)) if isinstance(data, dict) else [],
    }


def _listed(
    number: int, part: scenariotext.Part, story: storyboard.Storyboard, path: str, files: dict[str, bytes]
) -> dict[str, Any]:
    """A step for the list; another file's steps with where they stand and what they are."""
    found = shown(number, part, story)
    if part.include:
        elsewhere = posixpath.normpath(posixpath.join(posixpath.dirname(path), part.include))
        found["elsewhere"] = elsewhere if elsewhere in files else ""
        found["inside"] = _inside(files, elsewhere, story)[:MOST_INSIDE]
    return found


def _inside(files: dict[str, bytes], path: str, story: storyboard.Storyboard, depth: int = 0) -> list[str]:
    """The steps of a part, and of the parts in it, in words."""
    if path not in files or depth > DEEPEST_PART:
        return []
    try:
        # A part is a list of steps, as it stands under this key.
        parts = scenariotext.take_apart("steps:\n" + files[path].decode("utf-8", "replace")).parts
    except (errors.InvalidInput, errors.TooLarge):
        return []
    said: list[str] = []
    for number, part in enumerate(parts):
        if part.include:
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(path), part.include))
            said += _inside(files, inner, story, depth + 1)
        else:
            one = shown(number, part, story)
            said.append(f"{one['words']}{_('（')}{one['by_words']}{_('）')}" if one["by_words"] else one["words"])
    return said


def _failed_at(script: scenariotext.Script | None, result: dict[str, Any]) -> int | None:
    """The step at which it came otherwise; -1: at the expectation at the end."""
    if script is None:
        return None
    for number, part in enumerate(script.parts):
        if result.get("line") == part.line:
            return number
    return -1 if any(": expect:" in problem for problem in result["problems"]) else None


def _expects(script: scenariotext.Script, number: int) -> bool:
    """True where a step only says what is expected."""
    return "expect" in (script.parts[number].raw or {})


def shown(number: int, part: scenariotext.Part, story: storyboard.Storyboard) -> dict[str, Any]:
    """A step as the page shows it: in words, with what can be changed in fields."""
    raw = part.seen or {}
    verb = next((name for name in steps.VERBS if name in raw), "")
    target = raw.get(verb)
    by = raw.get("by")
    person = next((one for one in storyboard.PEOPLE if one[0] == str(by).partition(".2")[0]), None)
    words = {"verb": verb, "target": story.name(str(target)), "by": ""}
    if verb == "begin":
        words["target"] = story.processes.get(str(target), str(target))
    simple = set(raw) <= {verb, "by", "data", "each", "in", "note"} and verb in ("do", "send", "wait", "until")
    return {
        "number": number,
        "verb": verb,
        "target": "" if target is None else target if isinstance(target, str) else str(target),
        "raw": raw,
        "words": _("引用“%(what)s”中的步骤", what=part.include.rpartition("/")[2])
        if part.include
        else steps.words(words),
        "include": part.include,
        "by": by or "",
        "by_words": (person[2] if i18n.choice() == "en" else person[1]) if person else (by or ""),
        "note": raw.get("note", ""),
        "refused": raw.get("refused", ""),
        "data": scenariotext.step_text(raw["data"]).rstrip() if isinstance(raw.get("data"), dict) else "",
        "facts": steps.facts(raw["data"], story.labels_at(str(target))) if isinstance(raw.get("data"), dict) else [],
        "formed": bool(story.labels_at(str(target))),
        "expect": _expectation(raw["expect"], story) if isinstance(raw.get("expect"), dict) else [],
        "expecting": stepfields.shown(raw["expect"]) if isinstance(raw.get("expect"), dict) else None,
        "span": stepfields.span(target) if verb == "wait" else None,
        "text": part.alone,
        "editable": part.raw is not None and not part.commented,
        "simple": simple,
    }


def _expectation(expect: dict[str, Any], story: storyboard.Storyboard) -> list[tuple[str, str]]:
    """An expectation in words: what, and how it should be."""
    words = steps.expectation_words()
    found = []
    for key, value in expect.items():
        if key == "tasks" and isinstance(value, list):
            said = "、".join(story.name(str(one)) for one in value) or _("无")
        elif key == "ended":
            said = story.name(str(value)) if value not in (False, None) else _("仍在进行")
        elif key in ("due", "done") and isinstance(value, dict):
            said = "；".join(f"{story.name(str(name))}：{one}" for name, one in value.items())
        elif isinstance(value, str | int | float):
            said = str(value)
        else:
            said = steps.plain(value, steps.words_of_keys())
        found.append((words.get(key, key), said))
    return found


def part_of(text: str, number: int) -> scenariotext.Part:
    parts = scenariotext.take_apart(text).parts
    if not 0 <= number < len(parts):
        raise errors.NotFound("没有这一步。", "There is no such step.")
    return parts[number]


def _edited(text: str, story: storyboard.Storyboard) -> str:
    """The text of a scenario after what the page asks for."""
    form = request.form
    act, number = form.get("act", ""), here.number("number") or 0
    if act == "text":
        made = form.get("text", "").replace("\r\n", "\n")
        return made if made.endswith("\n") else f"{made}\n"
    if act == "rename":
        return scenariotext.set_name(text, " ".join(form.get("name", "").split())[:120])
    if act == "start":
        start = scenariotext.take_apart(text).head.get("start")
        start = dict(start) if isinstance(start, dict) else {}
        by = form.get("by", "").strip()
        return scenariotext.set_start(
            text, {**({"by": by} if by else {}), **{k: v for k, v in start.items() if k != "by"}}
        )
    if act == "remove":
        return scenariotext.remove(text, number)
    if act in ("up", "down"):
        return scenariotext.move(text, number, max(0, number - 1) if act == "up" else number + 1)
    if act == "step_text":
        return scenariotext.replace_text(text, number, form.get("step", "").replace("\r\n", "\n"))
    if act == "expect_fields":
        return scenariotext.set_expect(
            text, stepfields.expectation(form, scenariotext.take_apart(text).expect or {}, story)
        )
    if act == "expect_step":
        before = dict(part_of(text, number).raw or {})
        return scenariotext.replace(
            text, number, {**before, "expect": stepfields.expectation(form, before.get("expect") or {}, story)}
        )
    if act == "expect":
        made_expect = scenariotext.read_step(form.get("expect", "").replace("\r\n", "\n"))
        if made_expect is None:
            raise errors.InvalidInput("预期应为“键: 值”。", "An expectation is lines of “key: value”.", field="expect")
        return scenariotext.set_expect(text, made_expect)
    step = stepfields.step(form, story)
    if act == "step":
        before = dict(part_of(text, number).raw or {})
        kept = ("in", "note") if "data" in form else ("in", "note", "data")
        return scenariotext.replace(text, number, {**step, **{k: v for k, v in before.items() if k in kept}})
    if act == "add":
        return scenariotext.insert(text, number, step)
    raise errors.InvalidInput(field="act")


def saved(copy_id: int, path: str, text: str, base: str, comment: str) -> None:
    with here.writing() as (session, user):
        workshop.save(session, copy_id, {path: Change(text.encode(), base)}, user=user, kind="save", comment=comment)


def at_the_start(box: sandbox.Sandbox, path: str) -> dict[str, Any]:
    """A scenario before its case is started."""
    read = box.ask("read", path=path)
    return box.ask("open", head={**read["head"], "start": {"none": True}}, steps=[])


def process_of(text: str, path: str) -> str:
    """The process a scenario plays: the one it names, or the one in whose folder it lies."""
    named = scenariotext.take_apart(text).head.get("process")
    return str(named or path.rpartition("/scenarios/")[0].rpartition("/")[2])


def played_to(box: sandbox.Sandbox, path: str, line: int | None) -> dict[str, Any]:
    """Play a scenario up to the step in a line (None: to its end), without stopping at what it expects on the way."""
    read = box.ask("read", path=path)
    upto = read["lines"].index(line) if line in read["lines"] else len(read["steps"])
    played = [step for step in read["steps"][:upto] if "expect" not in step]
    return box.ask("open", head=read["head"], steps=played)
