"""A little draft to play with: a request, a check with a table and a deadline, a timer, a message, a document."""

from __future__ import annotations

import json

from tests.commands.conftest import diagram
from tests.engine.diagrams import ext

DRAFT = "processes/leave/leave.bpmn"


CALLED = '<zeebe:calledDecision decisionId="rank" resultVariable="rank"/>'


def field(kind: str, key: str, label: str, **more: object) -> dict[str, object]:
    """One field of a form."""
    return {"type": kind, "key": key, "id": f"F_{key}", "label": label, **more}


def form(form_id: str, *fields: dict[str, object]) -> bytes:
    """A form."""
    return json.dumps({"id": form_id, "type": "default", "schemaVersion": 16, "components": list(fields)}).encode()


def user(node_id: str, name: str, form_id: str, group: str, more: str = "") -> str:
    """A user task with a form and a role."""
    inner = f'<zeebe:userTask/><zeebe:formDefinition formId="{form_id}"/>'
    return (
        f'<userTask id="{node_id}" name="{name}">'
        + ext(f'{inner}<zeebe:assignmentDefinition candidateGroups="{group}"/>{more}')
        + "</userTask>"
    )


def procedure(check: str = "审核", days: int = 5) -> bytes:
    """The diagram; ``check`` is what the second task is called, ``days`` its deadline in working days."""
    due = f'<zeebe:taskSchedule dueDate="=workdays(today(), {days})"/>'
    return diagram(
        '<startEvent id="s" name="发起"/>'
        + user("ask", "填写请假单", "ask", "applicant.drafter")
        + f'<businessRuleTask id="rate">{ext(CALLED)}</businessRuleTask>'
        + user("check", check, "check", "coop.intake", due)
        + '<boundaryEvent id="late" attachedToRef="check"><timerEventDefinition><timeDuration>P20D</timeDuration>'
        + "</timerEventDefinition></boundaryEvent>"
        + '<exclusiveGateway id="g" name="同意？" default="g_no"/>'
        + '<endEvent id="yes" name="准假"/><endEvent id="no" name="不准"/><endEvent id="expired" name="逾期"/>',
        's -> ask -> rate -> check -> g -[=verdict = "yes"]-> yes; g -> no; late -> expired',
        pid="leave",
        starter="applicant.drafter",
        caseNumber="QJ",
        title='="请假 " + string(days)',
    )


TABLE = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
<decision id="rank" name="请假等级"><decisionTable id="t" hitPolicy="UNIQUE"><input id="i"><inputExpression id="ie"
typeRef="number"><text>days</text></inputExpression></input><output id="o" name="rank" typeRef="string"/>
<rule id="short"><inputEntry id="a1"><text>&lt;= 3</text></inputEntry><outputEntry id="b1"><text>"短"</text></outputEntry></rule>
<rule id="long"><inputEntry id="a2"><text>&gt; 3</text></inputEntry><outputEntry id="b2"><text>"长"</text></outputEntry></rule>
</decisionTable></decision></definitions>""".encode()


def files(check: str = "审核", days: int = 5) -> dict[str, bytes]:
    """The whole draft."""
    return {
        DRAFT: procedure(check, days),
        "processes/leave/rank.dmn": TABLE,
        "forms/leave/ask.form": form(
            "ask",
            field("number", "days", "天数", validate={"required": True, "min": 1}),
            field("textarea", "reason", "事由"),
            field("attachments", "proof", "证明材料"),
        ),
        "forms/leave/check.form": form(
            "check",
            field(
                "select",
                "verdict",
                "意见",
                values=[{"value": "yes", "label": "同意"}, {"value": "no", "label": "不同意"}],
            ),
        ),
    }


GRANTED = """# 一条说明
name: 三天以内，准假
start: {by: applicant.drafter}
steps:
  - do: ask
    data: {days: 2, proof: [!file 证明.pdf]}
  # 等一天
  - wait: P1D
  - do: check
    data: {verdict: 'yes'}
expect:
  ended: yes
"""


__all__ = ["DRAFT", "GRANTED", "TABLE", "files", "procedure"]
