"""Try a draft out: play its cases with the real forms, in everybody's role, in a time of its own, and keep that.

Everything that is played lies in a sandbox (``service.sandbox``). The database of this installation keeps the steps.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from service import errors, scenariotext
from service.commands.procedures import dryruns, scenarioruns, workshop
from service.commands.procedures.workshop import Change
from service.queries import rehearsals
from service.queries import workshop as reads

from .. import formbox, here
from . import drafts, filing, plainsteps, steps, tryoutpage
from .workbench import blueprint


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
        draft = drafts.as_it_is(session, copy)
    with drafts.pool().once(draft) as box:
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
    return tryoutpage.page(run_id)


@blueprint.get("/tryouts/<int:run_id>/ready")
def tryout_ready(run_id: int) -> Response:
    """Say whether it has been played up: a page that waits asks this now and then."""
    with here.reading() as (session, user):
        run = rehearsals.dry_run(session, user, run_id)
        held = drafts.prepared(session, run)
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
        held = drafts.prepared(session, run)
        files = drafts.files_of(session, run)
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
    return filing.named_file()


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
        held = drafts.prepared(session, rehearsals.dry_run(session, user, run_id))
    task = tryoutpage.task_of(held.view or {}, here.number("task"))
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
    made = {
        "wait": plainsteps.wait,
        "workdays": plainsteps.workdays_on,
        "publish": plainsteps.publish,
        "retry": plainsteps.retry,
    }.get(verb)
    if made is None:
        raise errors.InvalidInput(field="verb")
    return _played(run_id, made(), None)


@blueprint.post("/tryouts/<int:run_id>/back")
def tryout_back_submit(run_id: int) -> AnyResponse:
    """Take steps back: the last one, all after one, or all."""
    to = here.number("to") or 0
    with here.writing() as (session, user):
        run = dryruns.back(session, run_id, to, user=user)
        held = drafts.pool().prepare(run.id, drafts.state(session, run), drafts.loader(run), run.head, run.steps)
        steps_left = len(run.steps)
    if not held.preparing and held.view is not None and len(held.steps) > steps_left:
        drafts.pool().back(held, steps_left)
    return _again(run_id)


@blueprint.post("/tryouts/<int:run_id>/renew")
def tryout_renew_submit(run_id: int) -> AnyResponse:
    """Play the same steps again on the draft as it is now."""
    with here.writing() as (session, user):
        dryruns.renew(session, run_id, user=user)
    # What went wrong is tried again, too, not remembered.
    drafts.pool().forget(run_id)
    return _again(run_id)


@blueprint.post("/tryouts/<int:run_id>/keep")
def tryout_keep_submit(run_id: int) -> AnyResponse:
    """Forget the steps that can no longer be taken, and go on from there."""
    with here.reading() as (session, user):
        held = drafts.prepared(session, rehearsals.dry_run(session, user, run_id))
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
    drafts.pool().forget(run_id)
    flash(_("试运行已删除。"), "good")
    return redirect(url_for("modeler.tryouts", copy_id=copy_id), 303)


@blueprint.post("/tryouts/<int:run_id>/record")
def tryout_record_submit(run_id: int) -> AnyResponse:
    """Keep what was played as a scenario of the working copy."""
    form = request.form
    keys = [key for key in form.getlist("key") if key in steps.KEYS]
    with here.reading() as (session, user):
        run = rehearsals.dry_run(session, user, run_id)
        held = drafts.prepared(session, run)
    drafts.unless_preparing(held)
    expect = drafts.pool().ask(held, "example", keys=keys)["expect"] if keys else {}
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


def _expected(run_id: int) -> AnyResponse | tuple[str, int]:
    """Take what has happened as what is expected from now on."""
    with here.reading() as (session, user):
        held = drafts.prepared(session, rehearsals.dry_run(session, user, run_id))
    drafts.unless_preparing(held)
    keys = [key for key in request.form.getlist("key") if key in steps.KEYS] or ["tasks", "ended"]
    expect = drafts.pool().ask(held, "example", keys=keys)["expect"]
    if not expect:
        flash(_("还没有案件，没有可写的预期。"), "warn")
        return _again(run_id)
    return _played(run_id, {"expect": expect}, None)


def _played(run_id: int, step: dict[str, Any], wanted: dict[str, Any] | None) -> AnyResponse | tuple[str, int]:
    """Play a step in the sandbox and keep it; where it is refused, show why, with what was typed."""
    with here.reading() as (session, user):
        run = rehearsals.dry_run(session, user, run_id)
        held = drafts.prepared(session, run)
        before = len(run.steps)
    drafts.unless_preparing(held)
    typed = formbox.submitted() if wanted is not None and "values" in request.form else {}
    if wanted is not None:
        form = drafts.pool().ask(held, "form", wanted=wanted)["form"]
        if form is not None and (data := steps.typed(form["values"], typed)):
            step["data"] = data
    refused = drafts.pool().step(held, step).get("refused")
    if refused:
        return tryoutpage.page(run_id, refused=refused, typed=typed, wanted=wanted), 422
    with here.writing() as (session, user):
        dryruns.add(session, run_id, step, user=user, after=before)
    return _again(run_id)


def _again(run_id: int) -> AnyResponse:
    return redirect(url_for("modeler.tryout", run_id=run_id), 303)


def _here(run_id: int) -> str:
    chosen: dict[str, Any] = tryoutpage.chosen()
    return url_for("modeler.tryout", run_id=run_id, **chosen)


def _process(view: dict[str, Any], run_id: int) -> str:
    with here.reading() as (session, user):
        return rehearsals.dry_run(session, user, run_id).process_id
