"""Try a draft out: play its cases with the real forms, in everybody's role, in a time of its own, and keep that.

Everything that is played lies in a sandbox (``service.sandbox``). The database of this installation keeps the steps.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import orjson
from flask import Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from service import clock, errors, sandbox, scenariotext, workdays
from service.commands import attachments, dryruns, scenarioruns, workcalendar, workshop
from service.commands.workshop import Change
from service.models import DryRun, User, WorkingCopy
from service.queries import rehearsals
from service.queries import workshop as reads

from .. import formbox, here, i18n
from . import steps
from .workbench import blueprint

MOST_WORKDAYS = 500


def pool() -> sandbox.Pool:
    """The sandboxes of this process."""
    found: sandbox.Pool = current_app.extensions["guohe.sandboxes"]
    return found


@blueprint.get("/<int:copy_id>/try")
def tryouts(copy_id: int) -> str:
    """Choose what to try out: a procedure of the draft, or go on with what was begun."""
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        files = workshop.files(session, copy)
        return here.page(
            session,
            "modeler/tryouts.html",
            copy=copy,
            processes=rehearsals.processes(files),
            scenarios=[one for one in reads.files(session, copy) if scenarioruns.is_scenario(one.path)],
            runs=rehearsals.dry_runs(session, user, copy_id=copy_id),
            chosen=request.args.get("process", ""),
        )


@blueprint.post("/<int:copy_id>/try")
def tryout_create_submit(copy_id: int) -> AnyResponse:
    """Begin a try-out of a procedure."""
    process_id = request.form.get("process", "")
    profile = "practice" if request.form.get("profile") == "practice" else "strict"
    with here.writing() as (session, user):
        files = workshop.files(session, reads.copy(session, user, copy_id))
        if process_id not in {one.id for one in rehearsals.processes(files)}:
            raise errors.InvalidInput("请选择流程。", "Choose a procedure.", field="process")
        head = {"profile": profile, **_beginning(request.form.get("now", ""))}
        run = dryruns.begin(session, copy_id, user=user, process_id=process_id, head=head)
        run_id = run.id
    return redirect(url_for("modeler.tryout", run_id=run_id), 303)


def _beginning(day: str) -> dict[str, str]:
    """The day on which a try-out begins, at nine in the morning; the usual one where none is given."""
    if not day:
        return {}
    try:
        return {"now": f"{date.fromisoformat(day).isoformat()} 09:00"}
    except ValueError:
        raise errors.InvalidInput("日期应为 2026-03-02 的形式。", "A day looks like 2026-03-02.", field="now") from None


@blueprint.post("/<int:copy_id>/try/scenario")
def tryout_scenario_submit(copy_id: int) -> AnyResponse:
    """Open a scenario as a try-out, played up to one of its steps, to go on from there."""
    path, upto = request.form.get("path", ""), here.number("upto")
    with here.reading() as (session, user):
        copy = reads.copy(session, user, copy_id)
        reads.content(session, copy, path)
        draft = as_it_is(session, copy)
    with pool().once(draft) as box:
        read = box.ask("read", path=path)
    played = read["steps"] if upto is None else read["steps"][:upto]
    with here.writing() as (session, user):
        run = dryruns.begin(
            session,
            copy_id,
            user=user,
            process_id=str(read["head"]["process"]),
            head=read["head"],
            steps=played,
            path=path,
        )
        run_id = run.id
    return redirect(url_for("modeler.tryout", run_id=run_id), 303)


@blueprint.get("/tryouts/<int:run_id>")
def tryout(run_id: int) -> str:
    """Show where a try-out stands, and the form of the task that is being done."""
    return _page(run_id)


@blueprint.get("/tryouts/<int:run_id>/ready")
def tryout_ready(run_id: int) -> Response:
    """Say whether it has been played up: a page that waits asks this now and then."""
    with here.reading() as (session, user):
        run = rehearsals.dry_run(session, user, run_id)
        held = _prepared(session, run)
    if held.preparing:
        return Response(render_template("modeler/_tryout_wait.html", run_id=run_id))
    answer = Response("")
    answer.headers["HX-Redirect"] = _here(run_id)
    return answer


@blueprint.get("/tryouts/<int:run_id>/diagram")
def tryout_diagram(run_id: int) -> Response:
    """One diagram of the draft, and where the case is on it."""
    process_id = request.args.get("process", "")
    with here.reading() as (session, user):
        run = rehearsals.dry_run(session, user, run_id)
        held = _prepared(session, run)
        files = _files(session, run)
    marks: dict[str, list[str]] = {"active": [], "done": [], "cancelled": [], "incidents": [], "flows": []}
    for case in (held.view or {}).get("cases", []):
        for one in case["diagrams"]:
            if one["process"] == process_id:
                marks = {name: [*marks[name], *one["marks"][name]] for name in marks}
    marks["done"] = [one for one in marks["done"] if one not in marks["active"]]
    return jsonify({"xml": rehearsals.diagram(files, process_id).decode("utf-8", "replace"), "marks": marks})


@blueprint.post("/tryouts/<int:run_id>/files")
def tryout_upload(run_id: int) -> tuple[Response, int]:
    """Take a file as a try-out does: its name counts, its content is not kept."""
    with here.reading() as (session, user):
        rehearsals.dry_run(session, user, run_id)
    return named_file()


@blueprint.get("/tryouts/<int:run_id>/files/<path:name>")
def tryout_file(run_id: int, name: str) -> Response:
    """Say that the content of a file was not kept."""
    raise errors.NotFound("试运行不保存附件内容。", f"A try-out keeps no files ({run_id}, {name[:80]}).")


@blueprint.post("/tryouts/<int:run_id>/start")
def tryout_start_submit(run_id: int) -> AnyResponse | tuple[str, int]:
    """Start the case, as somebody who may."""
    by = request.form.get("by", "")
    with here.reading() as (session, user):
        process_id = rehearsals.dry_run(session, user, run_id).process_id
    wanted = {"kind": "start", "by": by}
    return _played(run_id, {"begin": process_id, "by": by}, wanted)


@blueprint.post("/tryouts/<int:run_id>/do")
def tryout_do_submit(run_id: int) -> AnyResponse | tuple[str, int]:
    """Hand in a task, as the person whose it is."""
    with here.reading() as (session, user):
        held = _prepared(session, rehearsals.dry_run(session, user, run_id))
    task = _task(held.view or {}, here.number("task"))
    if task is None:
        flash(_("这项任务已不在待办中。"), "warn")
        return _again(run_id)
    step: dict[str, Any] = {"do": task["element"], "by": task["by"]["username"]}
    if task["case"] != _process(held.view or {}, run_id):
        step["in"] = task["case"]
    return _played(run_id, step, {"kind": "task", "id": task["id"], "by": step["by"]})


@blueprint.post("/tryouts/<int:run_id>/send")
def tryout_send_submit(run_id: int) -> AnyResponse | tuple[str, int]:
    """Send a message that the diagram offers to people."""
    form = request.form
    step = {"send": form.get("name", ""), "by": form.get("by", "")}
    case = form.get("case", "")
    with here.reading() as (session, user):
        if case != rehearsals.dry_run(session, user, run_id).process_id:
            step["in"] = case
    wanted = {"kind": "message", "name": step["send"], "by": step["by"], "case": case}
    return _played(run_id, step, wanted)


@blueprint.post("/tryouts/<int:run_id>/act")
def tryout_act_submit(run_id: int) -> AnyResponse | tuple[str, int]:
    """Let time pass, say something as a program would, try an incident again, or write down an expectation."""
    verb = request.form.get("verb", "")
    if verb == "expect":
        return _expected(run_id)
    made = {"wait": _wait, "workdays": _workdays, "publish": _publish, "retry": _retry}.get(verb)
    if made is None:
        raise errors.InvalidInput(field="verb")
    return _played(run_id, made(), None)


@blueprint.post("/tryouts/<int:run_id>/back")
def tryout_back_submit(run_id: int) -> AnyResponse:
    """Take steps back: the last one, all after one, or all."""
    to = here.number("to") or 0
    with here.writing() as (session, user):
        run = dryruns.back(session, run_id, to, user=user)
        held = pool().prepare(run.id, _state(session, run), _loader(run), run.head, run.steps)
        steps_left = len(run.steps)
    if not held.preparing and held.view is not None and len(held.steps) > steps_left:
        pool().back(held, steps_left)
    return _again(run_id)


@blueprint.post("/tryouts/<int:run_id>/renew")
def tryout_renew_submit(run_id: int) -> AnyResponse:
    """Play the same steps again on the draft as it is now."""
    with here.writing() as (session, user):
        dryruns.renew(session, run_id, user=user)
    # What went wrong is tried again, too, not remembered.
    pool().forget(run_id)
    return _again(run_id)


@blueprint.post("/tryouts/<int:run_id>/keep")
def tryout_keep_submit(run_id: int) -> AnyResponse:
    """Forget the steps that can no longer be taken, and go on from there."""
    with here.reading() as (session, user):
        held = _prepared(session, rehearsals.dry_run(session, user, run_id))
        played = int((held.view or {}).get("steps", 0))
    with here.writing() as (session, user):
        dryruns.back(session, run_id, played, user=user)
    return _again(run_id)


@blueprint.post("/tryouts/<int:run_id>/remove")
def tryout_remove_submit(run_id: int) -> AnyResponse:
    """Throw a try-out away."""
    with here.writing() as (session, user):
        copy_id = dryruns.take(session, run_id, user=user).working_copy_id
        dryruns.remove(session, run_id, user=user)
    pool().forget(run_id)
    flash(_("试运行已删除。"), "good")
    return redirect(url_for("modeler.tryouts", copy_id=copy_id), 303)


@blueprint.post("/tryouts/<int:run_id>/record")
def tryout_record_submit(run_id: int) -> AnyResponse:
    """Keep what was played as a scenario of the working copy."""
    form = request.form
    keys = [key for key in form.getlist("key") if key in steps.KEYS]
    with here.reading() as (session, user):
        run = rehearsals.dry_run(session, user, run_id)
        held = _prepared(session, run)
    _unless_preparing(held)
    expect = pool().ask(held, "example", keys=keys)["expect"] if keys else {}
    with here.writing() as (session, user):
        run = dryruns.take(session, run_id, user=user)
        copy = reads.copy(session, user, run.working_copy_id)
        name = " ".join(form.get("name", "").split())[:120] or _("试运行")
        path = steps.path_for(run.process_id, form.get("file", ""), workshop.files(session, copy), copy)
        text = scenariotext.write(*steps.scenario(run, name), expect)
        present = workshop.current(session, copy).get(path)
        base = present.sha256 if present is not None else None
        if present is not None and form.get("replace") != "1":
            raise errors.Conflict(f"“{path}”已存在。", f"“{path}” exists already.", field="file")
        workshop.save(
            session,
            copy.id,
            {path: Change(text.encode(), base)},
            user=user,
            kind="save",
            comment=_("录制场景“%(name)s”", name=name),
        )
        run.path = path
        copy_id = copy.id
    flash(_("已保存为场景“%(name)s”。", name=name), "good")
    return redirect(url_for("modeler.scenario", copy_id=copy_id, path=path), 303)


def named_file() -> tuple[Response, int]:
    """Answer an upload with the file's name, of which a scenario says no more."""
    files = request.files.getlist("file")
    if len(files) != 1 or not files[0].filename:
        raise errors.InvalidInput("请选择一个文件。", "Choose one file.", field="file")
    name = attachments.clean_name(files[0].filename)
    if name.rpartition(".")[2].lower() not in attachments.TYPES:
        raise errors.UnsupportedMedia("不接受此类文件。", "Files of this kind are not accepted.", field="file")
    files[0].stream.seek(0, 2)
    return jsonify({"id": f"{steps.KEPT}{name}", "name": name, "size": files[0].stream.tell()}), 201


# The steps that need no form


def _wait() -> dict[str, Any]:
    return {"wait": "next"}


def _workdays() -> dict[str, Any]:
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


def _publish() -> dict[str, Any]:
    step: dict[str, Any] = {"publish": request.form.get("name", "")}
    if request.form.get("key"):
        step["key"] = request.form["key"]
    if data := _data(request.form.get("data", "")):
        step["data"] = data
    return step


def _retry() -> dict[str, Any]:
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


def _expected(run_id: int) -> AnyResponse | tuple[str, int]:
    """Take what has happened as what is expected from now on."""
    with here.reading() as (session, user):
        held = _prepared(session, rehearsals.dry_run(session, user, run_id))
    _unless_preparing(held)
    keys = [key for key in request.form.getlist("key") if key in steps.KEYS] or ["tasks", "ended"]
    expect = pool().ask(held, "example", keys=keys)["expect"]
    if not expect:
        flash(_("还没有案件，没有可写的预期。"), "warn")
        return _again(run_id)
    return _played(run_id, {"expect": expect}, None)


# Playing


def _played(run_id: int, step: dict[str, Any], wanted: dict[str, Any] | None) -> AnyResponse | tuple[str, int]:
    """Play a step in the sandbox and keep it; where it is refused, show why, with what was typed."""
    with here.reading() as (session, user):
        run = rehearsals.dry_run(session, user, run_id)
        held = _prepared(session, run)
        before = len(run.steps)
    _unless_preparing(held)
    typed = formbox.submitted() if wanted is not None and "values" in request.form else {}
    if wanted is not None:
        form = pool().ask(held, "form", wanted=wanted)["form"]
        if form is not None and (data := steps.typed(form["values"], typed)):
            step["data"] = data
    refused = pool().step(held, step).get("refused")
    if refused:
        return _page(run_id, refused=refused, typed=typed, wanted=wanted), 422
    with here.writing() as (session, user):
        dryruns.add(session, run_id, step, user=user, after=before)
    return _again(run_id)


def _again(run_id: int) -> AnyResponse:
    return redirect(url_for("modeler.tryout", run_id=run_id), 303)


def _here(run_id: int) -> str:
    chosen: dict[str, Any] = _chosen()
    return url_for("modeler.tryout", run_id=run_id, **chosen)


def as_it_is(session: Session, copy: WorkingCopy) -> sandbox.Draft:
    """What a sandbox is given of a working copy as it is now."""
    return sandbox.Draft(workshop.files(session, copy), workcalendar.entered(session))


def _unless_preparing(held: sandbox.Held) -> None:
    if held.problem is not None:
        raise held.problem
    if held.preparing or held.view is None:
        raise errors.Busy("试运行正在准备，请稍候再试。", "The try-out is being prepared; try again in a moment.")


def _prepared(session: Session, run: DryRun) -> sandbox.Held:
    return pool().prepare(run.id, _state(session, run), _loader(run), run.head, run.steps)


def _state(session: Session, run: DryRun) -> str:
    return f"{run.working_copy_id}.{run.revision}.{run.head.get('profile')}"


def _loader(run: DryRun) -> Any:
    """How a sandbox gets its files, in a thread and a transaction of its own."""
    database, copy_id, revision = here.database(), run.working_copy_id, run.revision

    def load() -> sandbox.Draft:
        with database.transaction(readonly=True) as session:
            files = workshop.at(session, session.get_one(WorkingCopy, copy_id), revision)
            return sandbox.Draft(files, workcalendar.entered(session))

    return load


def _files(session: Session, run: DryRun) -> dict[str, bytes]:
    return workshop.at(session, session.get_one(WorkingCopy, run.working_copy_id), run.revision)


def _task(view: dict[str, Any], task_id: int | None) -> dict[str, Any] | None:
    return next((one for one in view.get("tasks", []) if one["id"] == task_id), None)


def _process(view: dict[str, Any], run_id: int) -> str:
    with here.reading() as (session, user):
        return rehearsals.dry_run(session, user, run_id).process_id


def _chosen() -> dict[str, str]:
    return {name: request.args[name] for name in ("task", "as", "message", "by", "process") if name in request.args}


# The page


def _page(
    run_id: int,
    refused: dict[str, Any] | None = None,
    typed: dict[str, Any] | None = None,
    wanted: dict[str, Any] | None = None,
) -> str:
    with here.reading() as (session, user):
        run = rehearsals.dry_run(session, user, run_id)
        held = _prepared(session, run)
        view = held.view if not held.preparing else None
        context: dict[str, Any] = {"run": run, "copy": run.working_copy, "view": view, "problem": held.problem}
        if view is None:
            context["findings"] = held.problem.extra.get("findings", []) if held.problem else []
            return here.page(session, "modeler/tryout.html", **context, chosen=_chosen())
        context |= _doing(run, held, view, refused, typed, wanted)
        context |= _shown(session, user, run, view)
        return here.page(session, "modeler/tryout.html", **context, refused=refused, chosen=_chosen())


def _doing(
    run: DryRun,
    held: sandbox.Held,
    view: dict[str, Any],
    refused: dict[str, Any] | None,
    typed: dict[str, Any] | None,
    wanted: dict[str, Any] | None,
) -> dict[str, Any]:
    """What is being done: the chosen task, the start, or a message – with its form."""
    task = message = start = None
    wanted = wanted or _wanted(view)
    if wanted is None:
        return {"task": None, "message": None, "start": None, "form": None, "actor": None}
    if wanted["kind"] == "task":
        task = _task(view, wanted["id"])
    elif wanted["kind"] == "message":
        message = next((one for one in view["messages"] if one["name"] == wanted["name"]), None)
    else:
        start = next((one for one in view["starts"] if one["kind"] == "none"), None)
    people = (message or start or {}).get("by", []) if task is None else [task["by"]]
    actor = next((one for one in people if one["username"] == wanted["by"]), None)
    try:
        form = pool().ask(held, "form", wanted=wanted)["form"]
    except errors.NotFound:
        form = None
    return {
        "task": task,
        "message": message,
        "start": start,
        "actor": actor,
        "form": box(
            form,
            files=url_for("modeler.tryout_upload", run_id=run.id),
            values=typed if refused else None,
            problems=(refused or {}).get("fields"),
        )
        if form
        else None,
    }


def _wanted(view: dict[str, Any]) -> dict[str, Any] | None:
    args = request.args
    if args.get("message"):
        one = next((one for one in view["messages"] if one["name"] == args["message"] and one["by"]), None)
        if one is not None:
            names = [person["username"] for person in one["by"]]
            by = args["by"] if args.get("by") in names else names[0]
            return {"kind": "message", "name": one["name"], "by": by, "case": one["case"]}
    mine = [one for one in view["tasks"] if args.get("as") in (None, one["by"]["username"])] or view["tasks"]
    if mine:
        task = _task(view, request.args.get("task", type=int)) or mine[0]
        return {"kind": "task", "id": task["id"], "by": task["by"]["username"]}
    start = next((one for one in view["starts"] if one["kind"] == "none" and one["by"]), None)
    if start is not None and not view["cases"]:
        names = [person["username"] for person in start["by"]]
        return {"kind": "start", "by": args["by"] if args.get("by") in names else names[0]}
    return None


def box(
    form: dict[str, Any],
    *,
    files: str,
    values: dict[str, Any] | None = None,
    problems: dict[str, list[str]] | None = None,
) -> dict[str, Any]:
    """The form island's input: files go nowhere, and nothing typed is kept as a draft."""
    return {
        "schema": form["schema"],
        "values": {**form["values"], **(values or {})},
        "errors": problems or {},
        "readOnly": False,
        "formHash": form["hash"],
        "draft": None,
        "files": {
            "url": files,
            "limit": here.settings().upload_limit,
            "types": [f".{ending}" for ending in attachments.TYPES],
        },
    }


def _shown(session: Session, user: User, run: DryRun, view: dict[str, Any]) -> dict[str, Any]:
    diagrams: dict[str, str] = {}
    for case in view["cases"]:
        diagrams |= {one["process"]: one["name"] for one in case["diagrams"]}
    if not diagrams:
        diagrams = {run.process_id: rehearsals.name_of(_files(session, run), run.process_id)}
    busy = [place for task in view["tasks"] for place in [task["process"]]]
    shown = request.args.get("process", "")
    if shown not in diagrams:
        shown = next((one for one in busy if one in diagrams), next(iter(diagrams)))
    return {
        "now": datetime.fromisoformat(view["now"]),
        "diagrams": diagrams,
        "shown": shown,
        "log": [steps.sentence(one) for one in view["log"]],
        "stopped": steps.stopped(view["stopped"], i18n.choice()) if view["stopped"] else None,
        "effects": steps.effects(view["effects"], i18n.choice()),
        "roles": steps.roles(view["tasks"], i18n.choice()),
        "english": i18n.choice() == "en",
        "newer": run.working_copy.revision > run.revision,
        "variables": [
            (case, orjson.dumps(case["variables"], option=orjson.OPT_INDENT_2, default=str).decode())
            for case in view["cases"]
        ],
        "keys": steps.keys_shown(),
        "at": datetime.fromisoformat,
        "suggested": steps.file_name(run),
    }


__all__ = ["box", "named_file", "pool", "tryouts"]
