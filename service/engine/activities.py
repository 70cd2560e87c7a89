"""Everything with a rounded box: tasks, sub-processes, call activities, and their rounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import decisions, feel, reads
from .alarms import alarm_wait, publish, rearm, set_alarm, subscribe
from .expressions import Overlay, as_list, evaluate, instant, moment, whole_number
from .model import Scope, feel_of
from .nodes import NodeSpec
from .problems import Problem
from .steps import JobWait, UserWait, Wait
from .variables import Visible, assign, store

if TYPE_CHECKING:
    from .workflow import Scope as LiveScope
    from .workflow import Token


class Activity(NodeSpec):
    """Everything with a rounded box: input mappings, boundary events, multi-instance."""

    def enter(self, token: Token) -> bool:
        if self.node.loop is not None and "body" not in token.internal_data:
            return self.enter_body(token)
        for mapping in self.node.inputs:
            store(token.data, mapping.target.split("."), evaluate(token, mapping.source))
        if "body" not in token.internal_data:
            self.watch(token)
        return self.act(token)

    def act(self, token: Token) -> bool:
        """The activity's own work; True when it is already done."""
        return True

    def watch(self, token: Token) -> None:
        """Listen for the boundary events."""
        for node in self._wf_spec.scope.boundary_events(self.node.id):
            self._wf_spec.task_specs[node.id].listen(token)

    def undo(self, token: Token) -> None:
        for other in token.workflow.tokens():
            if token.id in (other.internal_data.get("host"), other.internal_data.get("body")):
                other.cancel()
        if "body" not in token.internal_data:
            token.data.clear()
        for key in ("items", "out", "user"):
            token.internal_data.pop(key, None)

    def finish(self, token: Token, result: Mapping[str, Any]) -> None:
        if "body" in token.internal_data:
            self.finish_round(token, result)
        elif "out" in token.internal_data:
            self.finish_body(token)
        else:
            super().finish(token, result)

    def leave(self, token: Token) -> None:
        if "body" in token.internal_data:
            self.leave_round(token)
            return
        self.unwatch(token)
        super().leave(token)

    def unwatch(self, token: Token) -> None:
        for other in token.workflow.tokens():
            if other.internal_data.get("host") == token.id:
                other.cancel()

    def _on_cancel(self, my_task: Token) -> None:
        self.undo(my_task)
        super()._on_cancel(my_task)

    # -- multi-instance ------------------------------------------------------------------------

    def enter_body(self, token: Token) -> bool:
        loop = self.node.loop
        assert loop is not None
        items = evaluate(token, loop.input_collection)
        if not isinstance(items, list):
            raise Problem(
                "collection",
                f"多实例“{self.node.label}”的输入集合不是列表。",
                f"The input collection of “{self.node.label}” is not a list.",
            )
        token.internal_data["out"] = [None] * len(items)
        token.internal_data["done"] = 0
        self.watch(token)
        if loop.sequential:
            token.internal_data["items"] = items
            if items:
                self.start_round(token, 0, items[0])
        else:
            for index, item in enumerate(items):
                self.start_round(token, index, item)
        return not items

    def start_round(self, body: Token, index: int, item: Any) -> None:
        loop = self.node.loop
        assert loop is not None
        token = body.workflow.token(self.node.id, body=body.id, index=index)
        token.data["loopCounter"] = index + 1
        if loop.input_element:
            token.data[loop.input_element] = item
        if loop.output_element:
            # Its own, so that parallel rounds do not write to one variable (Camunda 8 does the same).
            for name in feel.names(feel_of(loop.output_element)):
                token.data.setdefault(name, None)

    def finish_round(self, token: Token, result: Mapping[str, Any]) -> None:
        loop, body = self.node.loop, token.body
        assert loop is not None
        assert body is not None
        self.take_result(token, result)
        internal = body.internal_data
        if loop.output_element:
            internal["out"][token.internal_data["index"]] = evaluate(token, loop.output_element)
        if loop.completion_condition:
            running = sum(1 for t in body.workflow.tokens() if t.internal_data.get("body") == body.id) - 1
            counts = {
                "numberOfInstances": len(internal["out"]),
                "numberOfActiveInstances": running,
                "numberOfCompletedInstances": internal["done"] + 1,
                "numberOfTerminatedInstances": 0,
            }
            stop = evaluate(token, "=" + loop.completion_condition, Overlay(counts, Visible(token)))
            token.internal_data["stop"] = stop is True

    def leave_round(self, token: Token) -> None:
        body, scope = token.body, token.workflow
        assert body is not None
        assert self.node.loop is not None
        internal = body.internal_data
        internal["done"] += 1
        stop, following = token.internal_data.get("stop", False), token.internal_data["index"] + 1
        scope.remove(token)
        if stop:
            for other in scope.tokens():
                if other is not token and other.internal_data.get("body") == body.id:
                    other.cancel()
        elif internal["done"] < len(internal["out"]):
            if self.node.loop.sequential:
                self.start_round(body, following, internal["items"][following])
            return
        self.conclude(body, {})

    def finish_body(self, token: Token) -> None:
        loop = self.node.loop
        assert loop is not None
        if loop.output_collection:
            out = token.internal_data["out"]
            assign(token, loop.output_collection, out, beyond=True)
            token.workflow.top_workflow.record("variables", token, data={loop.output_collection: out})
        token.internal_data["take"] = self.choose(token)


class UserTask(Activity):
    """A user or manual task: it waits for a person."""

    def act(self, token: Token) -> bool:
        node = self.node
        user: dict[str, Any] = {}
        assignee = evaluate(token, node.assignee)
        if assignee not in (None, ""):
            user["assignee"] = str(assignee)
        for key, value in (("users", node.candidate_users), ("groups", node.candidate_groups)):
            names = as_list(evaluate(token, value))
            if names:
                user[key] = names
        for key, value in (("due", node.due), ("follow", node.follow_up)):
            when = evaluate(token, value)
            if when not in (None, ""):
                user[key] = instant(when, end_of_day=key == "due").isoformat()
        form = evaluate(token, node.form_id)
        if form not in (None, "") and form != node.form_id:
            user["form"] = str(form)
        priority = evaluate(token, node.priority)
        if priority not in (None, ""):
            user["priority"] = whole_number(node, priority)
        token.internal_data["user"] = user
        return False

    def own_wait(self, token: Token) -> Wait | None:
        user = token.internal_data.get("user")
        if user is None:
            return None
        return UserWait(
            **self.about(token),
            form_id=user.get("form", self.node.form_id),
            assignee=user.get("assignee"),
            candidate_users=tuple(user.get("users", ())),
            candidate_groups=tuple(user.get("groups", ())),
            lane=self.node.lane,
            due=moment(user.get("due")),
            follow_up=moment(user.get("follow")),
            priority=user.get("priority", 50),
            documentation=self.node.documentation,
            properties=self.node.properties,
            headers=self.node.headers,
        )


class JobTask(Activity):
    """A service task, or any task with a ``zeebe:taskDefinition``: it waits for a worker."""

    def act(self, token: Token) -> bool:
        token.internal_data["job"] = 1
        return False

    def own_wait(self, token: Token) -> Wait | None:
        if "job" not in token.internal_data:
            return None
        retries = evaluate(token, self.node.retries)
        return JobWait(
            **self.about(token),
            topic=str(evaluate(token, self.node.topic)),
            headers=self.node.headers,
            retries=3 if retries in (None, "") else whole_number(self.node, retries),
        )


class ScriptTask(Activity):
    """A FEEL expression whose value goes to the result variable."""

    def act(self, token: Token) -> bool:
        value = evaluate(token, "=" + feel_of(self.node.script or "null"))
        if self.node.result_variable:
            token.internal_data["result"] = {self.node.result_variable: value}
        return True


class DecisionTask(Activity):
    """A business rule task: it asks a decision table of the bundle."""

    def act(self, token: Token) -> bool:
        top = token.workflow.top_workflow
        decision_id = str(evaluate(token, self.node.decision_id))
        try:
            outcome = decisions.evaluate_detailed(top.bundle.decisions, decision_id, Visible(token), now=top.now)
        except decisions.DecisionError as error:
            raise Problem("decision", error.zh, error.en) from error
        read = reads.of_decision(top.bundle.decisions[decision_id], Visible(token))
        data = {"decision": decision_id, "result": outcome.result, "rules": list(outcome.rules), "read": read}
        top.record("decision", token, data=data)
        token.internal_data["result"] = {self.node.result_variable or decision_id: outcome.result}
        return True


class ReceiveTask(Activity):
    """Waits for a message."""

    def act(self, token: Token) -> bool:
        subscribe(token, self.node)
        return False

    def own_wait(self, token: Token) -> Wait | None:
        return alarm_wait(token, self.about(token))

    def trigger(self, token: Token, payload: Mapping[str, Any]) -> None:
        token.internal_data.pop("message", None)
        self.conclude(token, payload)


class SendTask(Activity):
    """Publishes its message and goes on."""

    def act(self, token: Token) -> bool:
        publish(token, self.node)
        return True


class SubProcess(Activity):
    """An embedded sub-process, an event sub-process or a call activity: it opens a scope of its own."""

    def act(self, token: Token) -> bool:
        top = token.workflow.top_workflow
        name = self.target(token)
        if name not in top.subprocess_specs:
            raise Problem(
                "reference",
                f"“{self.node.label}”调用的流程“{name}”不在本版本中。",
                f"“{self.node.label}” calls the process “{name}”, which this version does not have.",
            )
        sub = top.create_subprocess(token, name)
        start = token.internal_data.pop("start", None) or none_start(sub.spec.scope)
        if start is None:
            del top.subprocesses[token.id]
            raise Problem("reference", f"“{name}”没有空开始事件。", f"“{name}” has no none start event.")
        if isinstance(start, list):  # a repair puts a token right inside
            first, *rest = start
            sub.begin(first, **({"start": rest} if rest else {}))
        elif "payload" in token.internal_data:
            sub.begin(start, result=token.internal_data.pop("payload"))
        else:
            sub.begin(start)
        return False

    def target(self, token: Token) -> str:
        if self.node.kind == "callActivity":
            return str(evaluate(token, self.node.called_process))
        return inner_name(token.workflow.spec.process_id, self.node.id)

    def take_result(self, token: Token, result: Mapping[str, Any]) -> None:
        sub = token.sub
        if sub is not None and self.node.kind == "callActivity" and (self.node.outputs or self.node.propagate_children):
            result = {**sub.data, **result}
        super().take_result(token, result)

    def leave(self, token: Token) -> None:
        super().leave(token)
        token.workflow.top_workflow.subprocesses.pop(token.id, None)

    def end_of(self, token: Token) -> str | None:
        # A case that an event sub-process took over ends where that one did.
        return token.sub.end_event if self.node.triggered_by_event and token.sub is not None else self.node.id

    def undo(self, token: Token) -> None:
        sub = token.sub
        if sub is not None:
            for other in sub.tokens():
                if other.live:
                    other.cancel()
            token.workflow.top_workflow.subprocesses.pop(token.id, None)
        super().undo(token)

    # -- event sub-process ---------------------------------------------------------------------

    def listen(self, scope: LiveScope) -> None:
        """Wait for the start event, if somebody outside can bring it about; errors look for it themselves."""
        assert self.node.scope is not None
        for start in self.node.scope.start_events():
            if start.event is not None and start.event.kind in ("timer", "message"):
                token = scope.arm(self.node.id, start=start.id)
                try:
                    set_alarm(token, start)
                except Problem as problem:
                    del token.internal_data["armed"]
                    self.park(token, problem)

    def own_wait(self, token: Token) -> Wait | None:
        if not token.armed:
            return None
        assert self.node.scope is not None
        start = self.node.scope.nodes[token.internal_data["start"]]
        return alarm_wait(token, {**self.about(token), "element_id": start.id, "element_name": start.name})

    def trigger(self, token: Token, payload: Mapping[str, Any]) -> None:
        """The start event of an event sub-process has happened."""
        assert self.node.scope is not None
        start, scope = self.node.scope.nodes[token.internal_data["start"]], token.workflow
        if start.interrupting:
            scope.cancel_tokens()
        else:
            rearm(token, start)
        scope.token(self.node.id, start=start.id, payload=dict(payload))


def none_start(scope: Scope) -> str | None:
    return next((n.id for n in scope.start_events() if n.event is not None and n.event.kind == "none"), None)


def inner_name(process_id: str, node_id: str) -> str:
    """The name of an embedded sub-process's spec; ids are unique in a file, not in a bundle."""
    return f"{process_id}#{node_id}"
