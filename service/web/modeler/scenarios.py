"""Scenarios for people who write no YAML: what there is, how they went, what they covered, and their steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from flask import Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from service import clock, errors, sandbox, scenariotext
from service.commands import scenarioruns, storyboard, workshop
from service.commands.workshop import Change
from service.models import ScenarioRun, User, WorkingCopy
from service.queries import rehearsals
from service.queries import workshop as reads

from .. import formbox, here, i18n
from . import steps, tryout
from .workbench import blueprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A scenario in the list: how it went the last time it was played, and whether the draft has changed since."""

    path: str
    name: str
    result: dict[str, Any] | None
    fresh: bool
    at: datetime | None

    @property
    def problem(self) -> str:
        """What came otherwise, in the reader's language."""
        return next((one["text"] for one in said(self.result)), "")


def said(result: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What came otherwise, each sentence in the reader's language with the element it is about."""
    if result is None:
        return []
    key = "en" if i18n.choice() == "en" else "zh"
    # Where the sandbox itself gave up there is only a line of text.
    plain = [{"text": one, "element": None} for one in result["problems"]]
    return [{"text": one[key], "element": one["element"]} for one in result.get("said", [])] or plain


@blueprint.get("/<int:copy_id>/scenarios")
def scenarios(copy_id: int) -> str:
    """List the scenarios of a working copy with what came of them and what they cover together."""
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        files = workshop.files(session, copy)
        runs = rehearsals.scenario_runs(session, user, copy_id=copy_id)
        rows = _rows(session, copy, files, runs)
        covering = next((one for one in runs if one.whole and one.status == "done"), None)
        groups: dict[str, list[Row]] = {}
        for row in rows:
            groups.setdefault(row.path.rpartition("/scenarios/")[0], []).append(row)
        names = {one.file.rpartition("/")[0]: one.name for one in rehearsals.processes(files)}
        return here.page(
            session,
            "modeler/scenarios.html",
            copy=copy,
            groups=[(folder, names.get(folder, folder.rpartition("/")[2]), own) for folder, own in groups.items()],
            total=len(rows),
            failing=sum(1 for row in rows if row.result is not None and not row.result["ok"]),
            unknown=sum(1 for row in rows if row.result is None or not row.fresh),
            run=runs[0] if runs else None,
            going=_going(runs[0]) if runs else False,
            coverage=coverage_rows(covering),
            covered=covering,
            processes=rehearsals.processes(files),
        )


@blueprint.post("/<int:copy_id>/scenarios")
def scenarios_run_submit(copy_id: int) -> AnyResponse:
    """Play all scenarios, or one, in the background."""
    path = request.form.get("path", "")
    with here.writing() as (session, user):
        run_id = scenarioruns.ask(session, copy_id, user=user, paths=[path] if path else []).id
    try:
        _runs().put(run_id)
    except errors.Busy:
        with here.writing() as (session, user):
            scenarioruns.cancel(session, run_id, user=user)
        raise
    if path:
        return redirect(url_for("modeler.scenario", copy_id=copy_id, path=path), 303)
    return redirect(url_for("modeler.scenarios", copy_id=copy_id), 303)


@blueprint.get("/<int:copy_id>/scenarios-progress")
def scenarios_progress(copy_id: int) -> Response:
    """Say how far a run is; a page that waits asks this now and then."""
    with here.reading() as (session, user):
        reads.copy(session, user, copy_id)
        runs = rehearsals.scenario_runs(session, user, copy_id=copy_id, limit=1)
        if runs and _going(runs[0]):
            return Response(render_template("modeler/_scenarios_progress.html", copy_id=copy_id, run=runs[0]))
    answer = Response("")
    answer.headers["HX-Redirect"] = here.safe_next(url_for("modeler.scenarios", copy_id=copy_id))
    return answer


@blueprint.post("/<int:copy_id>/scenarios-stop")
def scenarios_stop_submit(copy_id: int) -> AnyResponse:
    """Stop what is being played."""
    with here.writing() as (session, user):
        run = rehearsals.scenario_runs(session, user, copy_id=copy_id, limit=1)
        if run:
            scenarioruns.cancel(session, run[0].id, user=user)
    flash(_("已停止。"), "good")
    return redirect(url_for("modeler.scenarios", copy_id=copy_id), 303)


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
        (result, _fresh, _at) = _result(path, runs, scenarioruns.files_hash(files))
    marks: dict[str, list[str]] = {"active": [], "done": [], "cancelled": [], "incidents": [], "flows": []}
    if result is not None:
        marks["flows"] = [flow for process, flow in result.get("flows", []) if process == process_id]
        marks["active"] = [element for process, element in result.get("at", []) if process == process_id]
        if not result["ok"] and result.get("element"):
            marks["incidents"] = list(dict.fromkeys(one["element"] for one in said(result) if one["element"]))
            marks["active"] = [one for one in marks["active"] if one not in marks["incidents"]]
    notes: dict[str, str] = {}
    for one in said(result):
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
            text = _edited(before.content.decode("utf-8", "replace"))
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
    return redirect(url_for("modeler.scenario", copy_id=copy_id, path=path), 303)


@blueprint.post("/<int:copy_id>/scenario-new")
def scenario_new_submit(copy_id: int) -> AnyResponse:
    """Begin a scenario of a procedure: a name, and nothing yet."""
    name = " ".join(request.form.get("name", "").split())[:120]
    process_id = request.form.get("process", "")
    with here.writing() as (session, user):
        copy = reads.copy(session, user, copy_id)
        files = workshop.files(session, copy)
        rehearsals.diagram(files, process_id)
        path = steps.path_for(process_id, request.form.get("file", ""), files, copy)
        if path in files:
            raise errors.Conflict(f"“{path}”已存在。", f"“{path}” exists already.", field="file")
        text = scenariotext.write({"name": name or path.rpartition("/")[2], "process": process_id}, [])
        workshop.save(session, copy_id, {path: Change(text.encode(), None)}, user=user, kind="save")
    return redirect(url_for("modeler.scenario", copy_id=copy_id, path=path), 303)


@blueprint.post("/<int:copy_id>/scenario-example")
def scenario_example_submit(copy_id: int) -> AnyResponse:
    """Take what happens at an expectation as what is expected there."""
    path, number = request.form.get("path", ""), here.number("number")
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        file, draft = reads.content(session, copy, path), tryout.as_it_is(session, copy)
    text = file.content.decode("utf-8", "replace")
    script = scenariotext.take_apart(text)
    part = script.parts[number] if number is not None and number < len(script.parts) else None
    like = (part.raw or {}).get("expect", {}) if part is not None else script.expect
    keys = [key for key in like if key != "mails"] or ["tasks", "ended"]
    if part is None and "mails" in like:
        keys = [key for key in like if key != "mails"]
    with tryout.pool().once(draft) as box:
        _played_to(box, path, part.line if part is not None else None)
        made = box.ask("example", keys=keys, like=like)["expect"]
    expect = {key: made.get(key, value) for key, value in like.items()} if like else made
    if part is not None and number is not None:
        text = scenariotext.replace(text, number, {**(part.raw or {}), "expect": expect})
    else:
        text = scenariotext.set_expect(text, expect)
    _saved(copy_id, path, text, file.sha256, _("以实际结果为预期"))
    flash(_("已采用实际结果，请核对后再运行一次。"), "good")
    return redirect(url_for("modeler.scenario", copy_id=copy_id, path=path), 303)


@blueprint.get("/<int:copy_id>/scenario-form")
def scenario_form(copy_id: int) -> str:
    """Open the real form of a step, as it looks when the scenario gets there, with the step's data in it."""
    path, number = request.args.get("path", ""), request.args.get("number", 0, type=int)
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        file, draft = reads.content(session, copy, path), tryout.as_it_is(session, copy)
        story = storyboard.of(draft.files)
    part = _part(file.content.decode("utf-8", "replace"), number)
    raw = part.raw or {}
    with tryout.pool().once(draft) as box:
        view = _played_to(box, path, part.line)
        wanted = _wanted(view, raw, story)
        form = box.ask("form", wanted=wanted)["form"] if wanted is not None else None
    with here.reading() as (session, user):
        return here.page(
            session,
            "modeler/scenario_form.html",
            copy=copy,
            path=path,
            number=number,
            base=file.sha256,
            step=_shown(number, part, story),
            shown=orjson.dumps(form["values"], default=str).decode() if form else "{}",
            form=_form_box(form, raw.get("data") or {}, copy_id) if form else None,
        )


@blueprint.post("/<int:copy_id>/scenario-form")
def scenario_form_submit(copy_id: int) -> AnyResponse:
    """Keep what was filled into the form as the step's data."""
    path, number = request.form.get("path", ""), here.number("number") or 0
    try:
        shown = orjson.loads(request.form.get("shown", "{}"))
    except orjson.JSONDecodeError:
        raise errors.InvalidInput(field="shown") from None
    if not isinstance(shown, dict):
        raise errors.InvalidInput(field="shown")
    data = steps.typed(shown, formbox.submitted())
    with here.reading() as (session, user):
        text = reads.content(session, reads.copy(session, user, copy_id), path).content.decode("utf-8", "replace")
    raw = dict(_part(text, number).raw or {})
    raw.pop("data", None)
    if data:
        raw["data"] = data
    _saved(copy_id, path, scenariotext.replace(text, number, raw), request.form.get("base", ""), _("修改场景"))
    return redirect(url_for("modeler.scenario", copy_id=copy_id, path=path) + f"#step-{number}", 303)


@blueprint.post("/<int:copy_id>/scenario-form/files")
def scenario_form_upload(copy_id: int) -> tuple[Response, int]:
    """Take a file into a step: its name counts."""
    with here.reading() as (session, user):
        reads.copy(session, user, copy_id)
    return tryout.named_file()


@blueprint.get("/<int:copy_id>/coverage")
def coverage(copy_id: int) -> str:
    """Show what the scenarios of one procedure touch, painted on its diagram and listed."""
    process_id = request.args.get("process", "")
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        files = workshop.files(session, copy)
        run = _covering(session, user, copy_id)
        found = (run.coverage if run else {}).get(process_id)
        if run is None or found is None:
            raise errors.NotFound("还没有这个流程的覆盖情况，请先运行全部场景。", "Play all scenarios first.")
        story = storyboard.of(files)
        return here.page(
            session,
            "modeler/coverage.html",
            copy=copy,
            process_id=process_id,
            found=found,
            fresh=run.files_hash == scenarioruns.files_hash(files),
            run=run,
            flows=_flow_names(files, process_id, found["missing_flows"]),
            people={code: en if i18n.choice() == "en" else zh for code, zh, en in storyboard.PEOPLE},
            others=[(one, story.processes.get(one, one)) for one in sorted(run.coverage)],
        )


@blueprint.get("/<int:copy_id>/coverage-diagram")
def coverage_diagram(copy_id: int) -> Response:
    """The diagram with the flows that scenarios take, and those that none does."""
    process_id = request.args.get("process", "")
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        files = workshop.files(session, copy)
        run = _covering(session, user, copy_id)
    found = (run.coverage if run else {}).get(process_id, {"taken_flows": [], "missing_flows": []})
    marks = {
        "active": [],
        "done": [],
        "cancelled": [],
        "incidents": [],
        "flows": found["taken_flows"],
        "missing": found["missing_flows"],
    }
    return jsonify({"xml": rehearsals.diagram(files, process_id).decode("utf-8", "replace"), "marks": marks})


# Reading


def coverage_rows(run: ScenarioRun | None) -> list[dict[str, Any]]:
    """How much of each procedure is covered, in per cent; the least covered first."""
    found = []
    for process_id, one in (run.coverage if run else {}).items():
        parts = {
            "flows": (one["flows"], len(one["missing_flows"])),
            "roles": (one["roles"], len(one["missing_roles"])),
            "fields": (one["fields"], len(one["missing_fields"])),
            "rows": (one["rows"], len(one["missing_rows"])),
        }
        shares = {name: None if not all_ else 100 * (all_ - missing) // all_ for name, (all_, missing) in parts.items()}
        found.append({"process": process_id, "name": one["name"], "parts": parts, "shares": shares})
    return sorted(found, key=lambda one: (one["shares"]["flows"] or 0, one["name"]))


def _rows(session: Session, copy: WorkingCopy, files: dict[str, bytes], runs: Any) -> list[Row]:
    now = scenarioruns.files_hash(files)
    found = []
    for row in reads.files(session, copy):
        if scenarioruns.is_scenario(row.path):
            result, fresh, at = _result(row.path, runs, now)
            found.append(Row(path=row.path, name=row.title or row.name, result=result, fresh=fresh, at=at))
    return found


def _result(path: str, runs: Any, now: str) -> tuple[dict[str, Any] | None, bool, datetime | None]:
    for run in runs:
        if path in run.results:
            return run.results[path], run.files_hash == now, run.beat_at
    return None, False, None


def _going(run: ScenarioRun) -> bool:
    return run.status in ("queued", "running") and run.beat_at > clock.now() - scenarioruns.DEAD_AFTER


def _covering(session: Session, user: User, copy_id: int) -> ScenarioRun | None:
    runs = rehearsals.scenario_runs(session, user, copy_id=copy_id, limit=scenarioruns.KEPT)
    return next((one for one in runs if one.whole and one.status == "done"), None)


def _runs() -> sandbox.Runs:
    found: sandbox.Runs = current_app.extensions["guohe.scenarios"]
    return found


def _flow_names(files: dict[str, bytes], process_id: str, flows: list[str]) -> list[tuple[str, str]]:
    """What people call a flow: from where it leads where."""
    return [(flow, rehearsals.flow_name(files, process_id, flow)) for flow in flows]


def _page(
    session: Session, user: User, copy_id: int, path: str, problem: str = "", typed: dict[str, Any] | None = None
) -> str:
    copy = reads.copy(session, user, copy_id)
    file = reads.content(session, copy, path)
    files = workshop.files(session, copy)
    story = storyboard.of(files)
    text = file.content.decode("utf-8", "replace")
    runs = rehearsals.scenario_runs(session, user, copy_id=copy_id)
    result, fresh, at = _result(path, runs, scenarioruns.files_hash(files))
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
        steps=[_shown(number, part, story) for number, part in enumerate(script.parts)] if script else [],
        expect=_expectation(script.expect, story) if script else [],
        expect_text=scenariotext.step_text(script.expect) if script and script.expect else "",
        failed_at=failed_at,
        said=said(result),
        expected=failed_at == -1 or (script is not None and failed_at is not None and _expects(script, failed_at)),
        result=result,
        fresh=fresh,
        at=at,
        going=_going(runs[0]) if runs else False,
        run=runs[0] if runs else None,
        story=story,
        people=storyboard.PEOPLE,
        english=i18n.choice() == "en",
        problem=problem or broken,
        broken=bool(broken),
    )


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


def _shown(number: int, part: scenariotext.Part, story: storyboard.Storyboard) -> dict[str, Any]:
    """A step as the page shows it: in words, with what can be changed in fields."""
    raw = part.raw or {}
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
        "words": _("引用“%(what)s”中的步骤", what=part.include) if part.include else steps.words(words),
        "include": part.include,
        "by": by or "",
        "by_words": (person[2] if i18n.choice() == "en" else person[1]) if person else (by or ""),
        "note": raw.get("note", ""),
        "refused": raw.get("refused", ""),
        "data": scenariotext.step_text(raw["data"]).rstrip() if isinstance(raw.get("data"), dict) else "",
        "expect": _expectation(raw["expect"], story) if isinstance(raw.get("expect"), dict) else [],
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
            said = scenariotext.step_text({key: value}).partition(":")[2].strip()
        found.append((words.get(key, key), said))
    return found


# Changing


def _part(text: str, number: int) -> scenariotext.Part:
    parts = scenariotext.take_apart(text).parts
    if not 0 <= number < len(parts):
        raise errors.NotFound("没有这一步。", "There is no such step.")
    return parts[number]


def _edited(text: str) -> str:
    """The text of a scenario after what the page asks for."""
    form = request.form
    act, number = form.get("act", ""), here.number("number") or 0
    if act == "text":
        made = form.get("text", "").replace("\r\n", "\n")
        return made if made.endswith("\n") else f"{made}\n"
    if act == "rename":
        return scenariotext.set_name(text, " ".join(form.get("name", "").split())[:120])
    if act == "remove":
        return scenariotext.remove(text, number)
    if act in ("up", "down"):
        return scenariotext.move(text, number, max(0, number - 1) if act == "up" else number + 1)
    if act == "step_text":
        return scenariotext.replace_text(text, number, form.get("step", "").replace("\r\n", "\n"))
    if act == "expect":
        made_expect = scenariotext.read_step(form.get("expect", "").replace("\r\n", "\n"))
        if made_expect is None:
            raise errors.InvalidInput("预期应为“键: 值”。", "An expectation is lines of “key: value”.", field="expect")
        return scenariotext.set_expect(text, made_expect)
    step = _step(form.to_dict())
    if act == "step":
        before = dict(_part(text, number).raw or {})
        return scenariotext.replace(text, number, {**step, **{k: v for k, v in before.items() if k in ("in", "note")}})
    if act == "add":
        return scenariotext.insert(text, number, step)
    raise errors.InvalidInput(field="act")


def _step(form: dict[str, str]) -> dict[str, Any]:
    """A step of the fields of the page."""
    verb = form.get("verb", "")
    if verb in ("do", "send"):
        step: dict[str, Any] = {verb: form.get("target", "").strip()}
        if form.get("by"):
            step["by"] = form["by"].strip()
        if form.get("each") == "1":
            step["each"] = True
        if form.get("data", "").strip():
            data = scenariotext.read_step(form["data"].replace("\r\n", "\n"))
            if data is None:
                raise errors.InvalidInput("数据应为“键: 值”。", "Data is lines of “key: value”.", field="data")
            step["data"] = data
    elif verb == "wait":
        step = {"wait": form.get("target", "").strip() or "next"}
    elif verb == "until":
        step = {"until": form.get("target", "").strip().replace("T", " ")}
    elif verb == "expect":
        expect: dict[str, Any] = {}
        if form.get("ended"):
            expect["ended"] = form["ended"]
        else:
            expect["tasks"] = [one for one in form.get("tasks", "").replace("，", ",").split(",") if one.strip()]
            expect["tasks"] = [one.strip() for one in expect["tasks"]]
        step = {"expect": expect}
    else:
        raise errors.InvalidInput("请选择动作。", "Choose what happens.", field="verb")
    if not step[verb] and verb != "expect":
        raise errors.InvalidInput("请选择任务或填写时间。", "Choose a task, or say when.", field="target")
    return step


def _saved(copy_id: int, path: str, text: str, base: str, comment: str) -> None:
    with here.writing() as (session, user):
        workshop.save(session, copy_id, {path: Change(text.encode(), base)}, user=user, kind="save", comment=comment)


# Playing up to a step


def _played_to(box: sandbox.Sandbox, path: str, line: int | None) -> dict[str, Any]:
    """Play a scenario up to the step in a line (None: to its end), without stopping at what it expects on the way."""
    read = box.ask("read", path=path)
    upto = read["lines"].index(line) if line in read["lines"] else len(read["steps"])
    played = [step for step in read["steps"][:upto] if "expect" not in step]
    return box.ask("open", head=read["head"], steps=played)


def _wanted(view: dict[str, Any], raw: dict[str, Any], story: storyboard.Storyboard) -> dict[str, Any] | None:
    """The form that a step fills."""
    if "send" in raw:
        one = next((one for one in view["messages"] if one["name"] == raw["send"] and one["by"]), None)
        by = raw.get("by") or (one["by"][0]["username"] if one else "")
        return {"kind": "message", "name": raw["send"], "by": by, "case": one["case"]} if one else None
    tasks = [one for one in view["tasks"] if raw.get("do") in (one["element"], one["name"])]
    mine = [one for one in tasks if raw.get("by") in (None, one["by"]["username"], one["role"])] or tasks
    return {"kind": "task", "id": mine[0]["id"], "by": mine[0]["by"]["username"]} if mine else None


def _form_box(form: dict[str, Any], data: dict[str, Any], copy_id: int) -> dict[str, Any]:
    return tryout.box(
        form,
        values=steps.over(form["values"], data),
        files=url_for("modeler.scenario_form_upload", copy_id=copy_id),
    )
