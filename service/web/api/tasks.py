"""Tasks: find them, read them with their forms, take, put back, hand over, hand in."""

from __future__ import annotations

from flask import Response
from sqlalchemy.orm import Session

from service import errors
from service.commands.inbox import drafts, task_forms, tasks
from service.models import User
from service.queries import identity, inbox, single
from service.queries import tasks as queries

from .. import printed
from . import language, schemas
from .paging import Marks, page
from .problems import InvalidFields
from .reading import placed
from .routes import Call, api
from .schemas import FieldProblem

SORTS: dict[str, inbox.Sort] = {"due_at": "due", "-created_at": "created", "-priority": "priority"}


@api.get("/tasks", zh="查询任务")
def list_(call: Call, query: schemas.TaskQuery) -> schemas.TaskPage:
    """The tasks you may see; `box=mine` and `box=group` are your inbox."""
    with call.reading() as (session, user):
        return _found(session, user, query, query.sort, query.limit, query.after, "after")


@api.post("/tasks/search", zh="搜索任务", write=False)
def search(call: Call, body: schemas.TaskSearch) -> schemas.TaskPage:
    """The tasks you may see that meet a filter."""
    with call.reading() as (session, user):
        return _found(session, user, body.filter, body.sort, body.page.limit, body.page.after, "page.after")


@api.get("/tasks/{task_id}", zh="查看任务", if_match=True)
def get(call: Call, task_id: int) -> schemas.Task:
    """One task: what is to be done, by whom until when, and what you may do with it."""
    with call.reading() as (session, user):
        found = queries.task(session, user, task_id)
        if found is None:
            raise errors.NotFound()
        people = queries.assignable(session, task_id) if found.may_assign else []
        return schemas.Task.of(found, people)


@api.get("/tasks/{task_id}/pdf", zh="下载任务表单 PDF", media="application/pdf")
def pdf(call: Call, task_id: int) -> Response:
    """The form of a task on paper: labels, values, tables, names of attachments, and who handed in what when."""
    with call.reading() as (session, user):
        name, content = printed.pdf(session, user, task_id, language=language.chosen())
    return printed.answer(name, content)


@api.get("/tasks/{task_id}/form", zh="读取任务表单", problems=(409,))
def form(call: Call, task_id: int) -> schemas.TaskForm:
    """The form of a task, with the values it opens with and what you have typed so far."""
    with call.reading() as (session, user):
        found = task_forms.of_task(session, task_id, user=user)
        found = found.read_in(language.chosen()) if found else None
        draft = drafts.load(session, task_id, user=user) if found else None
        return schemas.TaskForm(
            form_id=found.form_id if found else None,
            form=found.schema if found else None,
            data=found.values if found else {},
            draft=draft.values if draft else None,
            draft_saved_at=draft.saved_at if draft else None,
        )


@api.post("/tasks/{task_id}/claim", zh="领取任务", problems=(409,), if_match=True)
def claim(call: Call, task_id: int, body: schemas.Nothing) -> schemas.TaskState:
    """Take a task that is offered to you: nobody else can work on it until you hand it in or put it back."""
    version = call.version()
    with call.writing() as (session, user):
        return schemas.TaskState.of(tasks.claim(session, task_id, user=user, version=version))


@api.post("/tasks/{task_id}/unclaim", zh="放回任务", problems=(409,), if_match=True)
def unclaim(call: Call, task_id: int, body: schemas.Nothing) -> schemas.TaskState:
    """Put a taken task back, for anybody it is offered to."""
    version = call.version()
    with call.writing() as (session, user):
        return schemas.TaskState.of(tasks.release(session, task_id, user=user, version=version))


@api.post("/tasks/{task_id}/assign", zh="转交任务", problems=(409,), if_match=True)
def assign(call: Call, task_id: int, body: schemas.Assignment) -> schemas.TaskState:
    """Hand a task to somebody it is offered to."""
    version = call.version()
    with call.writing() as (session, user):
        assignee = _assignee(session, user, task_id, body)
        return schemas.TaskState.of(tasks.assign(session, task_id, user=user, assignee=assignee, version=version))


@api.post("/tasks/{task_id}/complete", zh="办结任务", problems=(409,), if_match=True)
def complete(call: Call, task_id: int, body: schemas.Completion) -> schemas.TaskState:
    """Hand in a task and run the case to its next wait states. The values are checked as its form checks them.

    Nobody need have claimed it. Of two who hand it in exactly one succeeds; the other is told who was first, and
    when.
    """
    version = call.version()
    with call.writing() as (session, user), placed(body.variables):
        done = tasks.complete(session, task_id, body.variables, user=user, version=version)
        return schemas.TaskState.of(done)


def _found(
    session: Session,
    user: User,
    wanted: schemas.TaskFilter,
    sort: schemas.TaskSort,
    limit: int,
    after: str | None,
    field: str,
) -> schemas.TaskPage:
    chosen = {name: getattr(wanted, name) for name in schemas.TaskFilter.model_fields}
    marks = Marks("tasks", sort, sorted(chosen.items(), key=str), field=field)
    for name in ("process", "element", "instance"):
        chosen[name] = chosen.pop(f"{name}_id")
    found = inbox.tasks(session, user, sort=SORTS[sort], after=marks.read(after), limit=limit, **chosen)
    return page(schemas.TaskPage, found, schemas.TaskSummary.of, marks)


def _assignee(session: Session, user: User, task_id: int, body: schemas.Assignment) -> User:
    """The person meant – found only among those the task is offered to, so that nobody can ask who exists."""
    found = queries.task(session, user, task_id)
    if found is None:
        raise errors.NotFound()
    if body.username is not None:
        person = identity.user(session, body.username)
    else:
        person = single.user(session, body.assignee_id or 0)
    if person is not None and person.id in dict(queries.assignable(session, task_id)):
        return person
    if not found.may_assign:
        # The command says why not; it does not get as far as looking at whom.
        return user
    raise InvalidFields(
        [
            FieldProblem(
                field="assignee_id" if body.username is None else "username",
                zh="此任务没有派给这个人所在的角色。",
                en="This task is not offered to that person.",
            )
        ]
    )
