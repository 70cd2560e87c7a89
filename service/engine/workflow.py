"""A live instance on SpiffWorkflow: its workflows (one per open scope) and their tokens.

SpiffWorkflow keeps a tree of every task that was and may be. Guohe keeps the tokens alone: a token is a
SpiffWorkflow task right below the root; it is removed when it leaves its node, and nothing is predicted.
So the thousandth step of a case costs what the first did. See docs/decisions/0001-tokens-on-spiffworkflow.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from .problems import Problem
from .steps import Happened

if TYPE_CHECKING:
    from .again import Told
    from .bundle import Bundle
    from .specs import NodeSpec, ScopeSpec

MAX_STEPS = 10_000
ROOT = -1


class Token(Task):
    """A token at a node. ``internal_data`` holds its bookkeeping, ``data`` the activity's own variables.

    Bookkeeping keys: flow (it came by), body and index (multi-instance), items, out (of a body), host (boundary
    event), armed (waits for an event at the edge of something), start (of an armed event sub-process), group
    (event-based gateway), due, times, key, user, result (of a finished activity), incident, take (flows chosen).
    """

    workflow: Scope
    task_spec: NodeSpec

    def run(self) -> bool | None:
        outcome = self.task_spec._run(self)
        if self.has_state(TaskState.FINISHED_MASK):  # it cancelled itself, e.g. by an error end
            return outcome
        if outcome is None:
            self._set_state(TaskState.STARTED)
        else:
            self.complete()
        return outcome

    def _set_state(self, value: int) -> None:
        # The library logs every change with a full dump of the task; our history rows say it better.
        self._state = value

    @property
    def live(self) -> bool:
        return self.has_state(TaskState.NOT_FINISHED_MASK)

    @property
    def armed(self) -> bool:
        """True for a token that only listens: it keeps no scope open and shows no activity."""
        return "armed" in self.internal_data

    @property
    def incident(self) -> list[str] | None:
        return self.internal_data.get("incident")

    @property
    def body(self) -> Token | None:
        """The multi-instance body this token is one round of."""
        body = self.internal_data.get("body")
        return None if body is None else self.workflow.tasks[body]

    @property
    def sub(self) -> SubWorkflow | None:
        return self.workflow.top_workflow.subprocesses.get(self.id)

    @property
    def path(self) -> tuple[str, ...]:
        host = self.workflow.host
        return () if host is None else (*host.path, host.task_spec.node.id)


class Scope:
    """What a process instance and an open sub-process have in common."""

    spec: ScopeSpec
    tasks: dict[int, Token]
    task_tree: Task
    data: dict[str, Any]
    top_workflow: Instance
    host: Token | None
    end_event: str | None = None

    def plant(self) -> None:
        """Make the root below which the tokens stand."""
        self.task_tree = Task(self, self.spec.start, state=TaskState.COMPLETED, id=ROOT)

    def tokens(self) -> Iterator[Token]:
        for token in list(self.tasks.values()):
            if token.id != ROOT and token.live:
                yield token

    def tokens_at(self, node_id: str) -> list[Token]:
        return [t for t in self.tokens() if t.task_spec.name == node_id and not t.armed]

    def token(self, node_id: str, **internal: Any) -> Token:
        """Put a new token on a node; it runs when its turn comes."""
        top = self.top_workflow
        token = Token(
            self, self.spec.task_specs[node_id], parent=self.task_tree, state=TaskState.READY, id=top.next_token()
        )
        token.internal_data.update(internal)
        if "armed" not in internal:
            top.ready.append(token)
            top.record("entered", token)
        return token

    def arm(self, node_id: str, **internal: Any) -> Token:
        """Put a listening token on a boundary event or an event sub-process."""
        token = self.token(node_id, armed=1, **internal)
        token._set_state(TaskState.WAITING)
        return token

    def remove(self, token: Token) -> None:
        """Forget a token that has left its node."""
        if self.top_workflow.prune and token.id in self.tasks:
            del self.tasks[token.id]
            self.task_tree._children.remove(token.id)

    def begin(self, start_event: str, **internal: Any) -> None:
        """Open the scope: listen for its event sub-processes, then put a token on the start event."""
        for node in self.spec.scope.event_subprocesses():
            self.spec.task_specs[node.id].listen(self)
        self.token(start_event, **internal)

    def close_if_done(self) -> None:
        """End the scope when its last token is gone."""
        if any(not t.armed for t in self.tokens()):
            return
        for token in self.tokens():
            token._set_state(TaskState.CANCELLED)
            self.remove(token)
        if self.host is None:
            self.completed = True
        elif self.host.live:
            self.host.task_spec.conclude(self.host, {})

    def cancel_tokens(self, keep: Token | None = None) -> None:
        for token in self.tokens():
            if token is not keep and token.live:
                token.cancel()

    # The library re-checks every waiting task after each completion; ours are woken by those they wait for.
    def _task_completed_notify(self, task: Task) -> None:
        self.last_task = None

    def update_waiting_tasks(self) -> None: ...


class SubWorkflow(Scope, BpmnSubWorkflow):
    """An open sub-process or called process; ``host`` is the token at the activity that holds it."""

    host: Token

    def __init__(self, spec: ScopeSpec, host: Token) -> None:
        self.host = host
        super().__init__(spec, parent_task_id=host.id, top_workflow=host.workflow.top_workflow, deserializing=True)
        self.plant()

    def _calculate_depth(self) -> int:
        return len(self.host.path) + 1

    @property
    def parent_workflow(self) -> Scope:
        return self.host.workflow


class Instance(Scope, BpmnWorkflow):
    """A process instance while it is being stepped. ``now`` is the time of the step."""

    host = None
    told: Told | None = None

    def __init__(self, bundle: Bundle, process_id: str, *, now: datetime, prune: bool = True) -> None:
        self.bundle, self.process_id, self.now, self.prune = bundle, process_id, now, prune
        self.ready: deque[Token] = deque()
        self.events: list[Happened] = []
        self.last_token = 0
        super().__init__(bundle.specs[process_id], bundle.specs, script_engine=object(), deserializing=True)
        self.plant()

    def next_token(self) -> int:
        self.last_token += 1
        return self.last_token

    def all_scopes(self) -> Iterator[Scope]:
        yield self
        yield from list(self.subprocesses.values())

    def find(self, token: int) -> Token | None:
        for scope in self.all_scopes():
            found = scope.tasks.get(token)
            if found is not None and found.id != ROOT and found.live:
                return found
        return None

    def record(
        self, kind: str, token: Token, element: str | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        node = token.task_spec.node
        if self.told is not None and kind == "variables":
            self.told.written(token.id)
        self.events.append(
            Happened(
                kind=kind,
                element_id=element or node.id,
                element_name="" if element else node.name,
                process_id=token.workflow.spec.process_id,
                token=token.id,
                path=token.path,
                data=data or {},
            )
        )

    def create_subprocess(self, my_task: Token, spec_name: str) -> SubWorkflow:
        sub = SubWorkflow(self.subprocess_specs[spec_name], my_task)
        self.subprocesses[my_task.id] = sub
        return sub

    def do_engine_steps(self, will_complete_task: Any = None, did_complete_task: Any = None) -> None:
        """Run until every token waits. A diagram that never comes to rest is stopped with an incident."""
        steps = 0
        while self.ready or self._release_inclusive_joins():
            token = self.ready.popleft()
            if token.state != TaskState.READY:
                continue
            steps += 1
            if steps > MAX_STEPS:
                token.task_spec.park(token, too_many_steps())
                continue
            token.run()

    def _release_inclusive_joins(self) -> bool:
        """Wake the inclusive gateways that no further token can reach (BPMN 2.0.2, 13.4.3)."""
        for scope in self.all_scopes():
            for node_id in scope.spec.inclusive_joins:
                if scope.spec.task_specs[node_id].release(scope):
                    return True
        return False


def too_many_steps() -> Problem:
    return Problem(
        "too-many-steps",
        f"一次推进超过 {MAX_STEPS} 步仍未停下，图中可能有无出口的循环。",
        f"The instance took more than {MAX_STEPS} steps without coming to rest; the diagram may have an endless loop.",
    )
