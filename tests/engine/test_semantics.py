"""What each element of a diagram does, one small diagram per test."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from service import engine
from service.engine.steps import IncidentWait, JobWait, JoinWait, MessageWait, TimerWait, UserWait

from .diagrams import NOW, Case, bundle, ext, process, script, user

START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
PAYMENT = '<message id="m" name="paid">' + ext('<zeebe:subscription correlationKey="=order"/>') + "</message>"
WAIT_FOR_PAYMENT = '<messageEventDefinition messageRef="m"/>'


def timer(kind: str, text: str) -> str:
    return f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"


def boundary(node_id: str, host: str, definition: str, interrupting: bool = True, more: str = "") -> str:
    flag = "" if interrupting else ' cancelActivity="false"'
    return f'<boundaryEvent id="{node_id}" attachedToRef="{host}"{flag}>{more}{definition}</boundaryEvent>'


# -- tasks -------------------------------------------------------------------------------------


def test_a_user_task_waits_with_everything_the_inbox_needs():
    task = user(
        "a",
        '<zeebe:formDefinition formId="opinion"/>'
        '<zeebe:assignmentDefinition assignee="=who" candidateGroups="coop.intake, coop.organiser"/>'
        '<zeebe:taskSchedule dueDate="2026-03-20" followUpDate="=follow"/><zeebe:priorityDefinition priority="80"/>'
        '<zeebe:properties><zeebe:property name="source" value="practice"/></zeebe:properties>',
    )
    case = Case(
        bundle(process(START + task + END, "s -> a -> e")),
        variables={"who": "li", "follow": "2026-03-10T08:00:00+08:00"},
    )
    wait = case.wait("a")
    assert isinstance(wait, UserWait)
    assert (wait.form_id, wait.assignee, wait.candidate_groups) == ("opinion", "li", ("coop.intake", "coop.organiser"))
    assert wait.due == datetime.fromisoformat("2026-03-20T23:59:59+08:00")
    assert wait.follow_up == datetime.fromisoformat("2026-03-10T08:00:00+08:00")
    assert (wait.priority, wait.properties["source"]) == (80, "practice")


def test_completing_a_user_task_hands_its_result_to_the_process():
    case = Case(bundle(process(START + user("a") + user("b") + END, "s -> a -> b -> e")))
    case.do("a", grade="good")
    assert case.at == ["b"]
    assert case.variables == {"grade": "good"}
    case.do("b")
    assert case.ended
    assert case.end == "e"


def test_a_manual_task_waits_for_somebody_to_say_it_is_done():
    case = Case(bundle(process(START + '<manualTask id="a" name="a"/>' + END, "s -> a -> e")))
    assert case.tasks == ["a"]
    case.do("a")
    assert case.ended


def test_a_service_task_waits_for_a_worker_with_its_topic_headers_and_retries():
    task = f'<serviceTask id="a">{ext("""<zeebe:taskDefinition type="notify" retries="5"/><zeebe:taskHeaders><zeebe:header key="to" value="x"/></zeebe:taskHeaders>""")}</serviceTask>'
    case = Case(bundle(process(START + task + END, "s -> a -> e")))
    wait = case.wait("a")
    assert isinstance(wait, JobWait)
    assert (wait.topic, wait.retries, dict(wait.headers)) == ("notify", 5, {"to": "x"})
    case.do("a", sent=True)
    assert case.ended


def test_a_script_task_sets_its_result_variable():
    case = Case(
        bundle(process(START + script("a", "=n * 2", "double") + user("b") + END, "s -> a -> b -> e")),
        variables={"n": 21},
    )
    assert case.variables["double"] == 42


def test_input_mappings_are_local_and_only_mapped_outputs_leave():
    task = user(
        "a",
        '<zeebe:ioMapping><zeebe:input source="=unit.name" target="title"/><zeebe:output source="=score + 1" target="unit.score"/></zeebe:ioMapping>',
    )
    case = Case(bundle(process(START + task + user("b") + END, "s -> a -> b -> e")), variables={"unit": {"name": "甲"}})
    assert engine.visible(case.run(), case.wait("a").token)["title"] == "甲"
    assert case.variables == {"unit": {"name": "甲"}}
    case.do("a", score=4, remark="stays inside")
    assert case.variables == {"unit": {"name": "甲", "score": 5}}


def test_a_send_task_publishes_its_message_with_key_and_mapped_payload():
    task = f'<sendTask id="a" messageRef="m">{ext("""<zeebe:ioMapping><zeebe:input source="=total" target="amount"/></zeebe:ioMapping>""")}</sendTask>'
    case = Case(
        bundle(process(START + task + END, "s -> a -> e", globals=PAYMENT)), variables={"order": 7.0, "total": 3}
    )
    (sent,) = [e.data for e in case.happened if e.kind == "message"]
    assert sent == {"name": "paid", "key": "7", "variables": {"amount": 3}}
    assert case.ended


def test_a_receive_task_takes_the_payload_of_its_message():
    case = Case(
        bundle(
            process(
                START + '<receiveTask id="a" messageRef="m"/>' + user("b") + END, "s -> a -> b -> e", globals=PAYMENT
            )
        ),
        variables={"order": "x1"},
    )
    wait = case.wait("a")
    assert isinstance(wait, MessageWait)
    assert (wait.message_name, wait.correlation_key) == ("paid", "x1")
    case.catch("a", amount=5)
    assert case.variables["amount"] == 5


# -- gateways ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("x", "reached"), [(1, "low"), (5, "mid"), (9, "high")])
def test_an_exclusive_gateway_takes_the_first_true_flow_else_the_default(x, reached):
    nodes = START + '<exclusiveGateway id="g" default="g_low"/>' + user("high") + user("mid") + user("low")
    case = Case(bundle(process(nodes, "s -> g; g -[=x > 7]-> high; g -[=x > 3]-> mid; g -> low")), variables={"x": x})
    assert case.at == [reached]


def test_an_exclusive_gateway_without_a_way_parks_the_token_and_a_retry_frees_it():
    case = Case(
        bundle(
            process(
                START + '<exclusiveGateway id="g"/>' + user("a") + user("b"), "s -> g; g -[=x = 1]-> a; g -[=x = 2]-> b"
            )
        ),
        variables={"x": 0},
    )
    wait = case.wait("g")
    assert isinstance(wait, IncidentWait)
    assert wait.code == "no-flow"
    assert "g" in wait.zh
    case.retry("g", x=2)
    assert case.at == ["b"]


def test_a_parallel_join_waits_for_every_branch():
    nodes = START + '<parallelGateway id="g"/>' + user("a") + user("b") + '<parallelGateway id="j"/>' + user("z")
    case = Case(bundle(process(nodes, "s -> g -> a -> j -> z; g -> b -> j")))
    assert case.at == ["a", "b"]
    case.do("a")
    assert case.at == ["b", "j"]
    assert isinstance(case.wait("j"), JoinWait)
    case.do("b")
    assert case.at == ["z"]


def test_a_parallel_join_does_not_take_two_tokens_of_one_branch_for_two_branches():
    # b can be reached twice: the exclusive merge lets both tokens through, the join must still wait for c.
    nodes = (
        START
        + '<parallelGateway id="g"/>'
        + user("a1")
        + user("a2")
        + '<exclusiveGateway id="x"/>'
        + user("c")
        + '<parallelGateway id="j"/>'
        + user("z")
    )
    case = Case(bundle(process(nodes, "s -> g -> a1 -> x -> j -> z; g -> a2 -> x; g -> c -> j")))
    case.do("a1")
    case.do("a2")
    assert case.at == ["c", "j", "j"]
    case.do("c")
    assert case.at == ["j", "z"]


@pytest.mark.parametrize(("picked", "first"), [({"a"}, ["a"]), ({"a", "b"}, ["a", "b"]), (set(), ["c"])])
def test_an_inclusive_gateway_takes_every_true_flow_and_its_join_waits_for_just_those(picked, first):
    nodes = (
        START
        + '<inclusiveGateway id="g" default="g_c"/>'
        + "".join(user(n) for n in "abcz")
        + '<inclusiveGateway id="j"/>'
    )
    arrows = "s -> g; g -[=a]-> a; g -[=b]-> b; g -> c; a -> j; b -> j; c -> j -> z"
    case = Case(bundle(process(nodes, arrows)), variables={"a": "a" in picked, "b": "b" in picked})
    assert case.at == first
    for index, node in enumerate(first):
        case.do(node)
        if index + 1 < len(first):
            assert "z" not in case.at
    assert case.at == ["z"]


def test_an_inclusive_join_goes_on_when_the_other_branch_ends_elsewhere():
    nodes = (
        START
        + '<inclusiveGateway id="g"/>'
        + "".join(user(n) for n in "abz")
        + '<exclusiveGateway id="x" default="x_e"/><inclusiveGateway id="j"/>'
        + END
    )
    case = Case(
        bundle(process(nodes, "s -> g; g -[=true]-> a -> j; g -[=true]-> b -> x; x -[=back]-> j; x -> e; j -> z"))
    )
    case.do("a")
    assert case.at == ["b", "j"]
    case.do("b", back=False)
    assert case.at == ["z"]


def test_an_event_based_gateway_follows_the_first_event_and_forgets_the_others():
    nodes = (
        START
        + f'<eventBasedGateway id="g"/><intermediateCatchEvent id="m1">{WAIT_FOR_PAYMENT}</intermediateCatchEvent><intermediateCatchEvent id="t1">{timer("timeDuration", "P3D")}</intermediateCatchEvent>'
        + user("paid")
        + user("late")
    )
    made = bundle(process(nodes, "s -> g; g -> m1 -> paid; g -> t1 -> late", globals=PAYMENT))
    case = Case(made, variables={"order": 1})
    assert case.at == ["m1", "t1"]
    case.catch("m1")
    assert case.at == ["paid"]
    case = Case(made, variables={"order": 1})
    case.fire("t1")
    assert case.at == ["late"]


def test_flows_out_of_a_task_split_and_honour_their_conditions():
    case = Case(
        bundle(
            process(
                START + user("a") + user("b") + user("c") + user("d"), "s -> a; a -> b; a -[=x]-> c; a -[=not(x)]-> d"
            )
        )
    )
    case.do("a", x=True)
    assert case.at == ["b", "c"]


# -- sub-processes and calls -------------------------------------------------------------------

INNER = '<startEvent id="is"/>' + user("ia") + '<endEvent id="ie"/>'
INNER_FLOWS = (
    '<sequenceFlow id="f1" sourceRef="is" targetRef="ia"/><sequenceFlow id="f2" sourceRef="ia" targetRef="ie"/>'
)


def test_an_embedded_sub_process_goes_on_when_its_last_token_ends():
    case = Case(
        bundle(
            process(
                START + f'<subProcess id="sub" name="sub">{INNER}{INNER_FLOWS}</subProcess>' + user("z"),
                "s -> sub -> z",
            )
        )
    )
    wait = case.wait("ia")
    assert wait.path == ("sub",)
    case.do("ia", found=1)
    assert case.at == ["z"]
    assert case.variables == {"found": 1}


def called(more: str = "", attributes: str = "") -> str:
    return f'<callActivity id="call" name="call">{ext(f"""<zeebe:calledElement processId="child" {attributes}/>{more}""")}</callActivity>'


def test_a_call_activity_reads_the_callers_variables_and_gives_its_own_back():
    child = process(
        '<startEvent id="s"/>' + script("set", "=x + 1", "y") + user("ia") + '<endEvent id="e"/>',
        "s -> set -> ia -> e",
        pid="child",
    )
    case = Case(bundle(process(START + called() + user("z"), "s -> call -> z"), child), variables={"x": 1})
    wait = case.wait("ia")
    assert (wait.process_id, wait.path) == ("child", ("call",))
    assert case.variables == {"x": 1}
    case.do("ia", score=9)
    assert case.variables == {"x": 1, "y": 2, "score": 9}


def test_a_call_activity_with_mappings_hides_everything_else():
    child = process('<startEvent id="s"/>' + user("ia") + '<endEvent id="e"/>', "s -> ia -> e", pid="child")
    mapping = '<zeebe:ioMapping><zeebe:input source="=x" target="given"/><zeebe:output source="=score" target="result"/></zeebe:ioMapping>'
    case = Case(
        bundle(
            process(
                START
                + called(mapping, 'propagateAllParentVariables="false" propagateAllChildVariables="false"')
                + user("z"),
                "s -> call -> z",
            ),
            child,
        ),
        variables={"x": 1, "secret": 2},
    )
    seen = engine.visible(case.run(), case.wait("ia").token)
    assert seen == {"given": 1}
    case.do("ia", score=9, noise=1)
    assert case.variables == {"x": 1, "secret": 2, "result": 9}


def test_a_terminate_end_ends_its_own_scope_only():
    inner = (
        '<startEvent id="is"/><parallelGateway id="ig"/>'
        + user("ia")
        + user("ib")
        + '<endEvent id="it"><terminateEventDefinition/></endEvent>'
    )
    inner_flows = '<sequenceFlow id="f1" sourceRef="is" targetRef="ig"/><sequenceFlow id="f2" sourceRef="ig" targetRef="ia"/><sequenceFlow id="f3" sourceRef="ig" targetRef="ib"/><sequenceFlow id="f4" sourceRef="ib" targetRef="it"/>'
    case = Case(
        bundle(process(START + f'<subProcess id="sub">{inner}{inner_flows}</subProcess>' + user("z"), "s -> sub -> z"))
    )
    case.do("ib")
    assert case.at == ["z"]
    assert case.kinds("cancelled") == ["ia"]


# -- boundary events ---------------------------------------------------------------------------


def test_an_interrupting_timer_ends_the_task_it_sits_on():
    nodes = START + user("a") + boundary("t", "a", timer("timeDuration", "P2D")) + user("late") + user("z")
    case = Case(bundle(process(nodes, "s -> a -> z; t -> late")))
    wait = case.wait("t")
    assert isinstance(wait, TimerWait)
    assert wait.due == NOW + timedelta(days=2)
    case.fire("t")
    assert case.at == ["late"]
    assert case.kinds("cancelled") == ["a"]


def test_completing_the_task_silences_its_boundary_events():
    nodes = START + user("a") + boundary("t", "a", timer("timeDuration", "P2D")) + user("late") + user("z")
    case = Case(bundle(process(nodes, "s -> a -> z; t -> late")))
    case.do("a")
    assert case.at == ["z"]


def test_a_non_interrupting_cycle_reminds_as_often_as_it_says_on_its_own_beat():
    nodes = START + user("a") + boundary("t", "a", timer("timeCycle", "R2/P1D"), False) + user("remind") + user("z")
    case = Case(bundle(process(nodes, "s -> a -> z; t -> remind")))
    case.fire("t")
    assert case.at == ["a", "remind", "t"]
    assert case.wait("t").due == NOW + timedelta(days=2)
    case.fire("t")
    assert case.at == ["a", "remind", "remind"]


def test_a_message_on_the_boundary_interrupts_or_not():
    for interrupting, left in ((True, ["got"]), (False, ["a", "b", "got"])):
        nodes = START + user("a") + boundary("b", "a", WAIT_FOR_PAYMENT, interrupting) + user("got")
        case = Case(bundle(process(nodes, "s -> a; b -> got", globals=PAYMENT)), variables={"order": 1})
        case.catch("b", amount=2)
        assert case.at == left
        assert case.variables["amount"] == 2


ERRORS = '<error id="e1" errorCode="BANNED"/><error id="e2" errorCode="OTHER"/>'


def test_an_error_end_is_caught_by_the_boundary_of_its_sub_process_by_code():
    inner = '<startEvent id="is"/><endEvent id="ie"><errorEventDefinition errorRef="e1"/></endEvent><sequenceFlow id="f1" sourceRef="is" targetRef="ie"/>'
    nodes = (
        START
        + f'<subProcess id="sub">{inner}</subProcess>'
        + boundary("any", "sub", "<errorEventDefinition/>")
        + boundary("ban", "sub", '<errorEventDefinition errorRef="e1"/>')
        + user("banned")
        + user("other")
        + user("z")
    )
    case = Case(bundle(process(nodes, "s -> sub -> z; ban -> banned; any -> other", globals=ERRORS)))
    assert case.at == ["banned"]


def test_a_job_that_reports_an_error_takes_the_boundary_and_an_unhandled_one_is_parked():
    task = f'<serviceTask id="a">{ext("""<zeebe:taskDefinition type="check"/>""")}</serviceTask>'
    nodes = START + task + boundary("ban", "a", '<errorEventDefinition errorRef="e1"/>') + user("banned") + user("z")
    made = bundle(process(nodes, "s -> a -> z; ban -> banned", globals=ERRORS))
    case = Case(made)
    case.fail("a", "BANNED")
    assert case.at == ["banned"]
    case = Case(made)
    case.fail("a", "OTHER")
    assert case.wait("a").code == "unhandled-error"
    case.retry("a")
    assert isinstance(case.wait("a"), JobWait)


ESCALATION = '<escalation id="x" escalationCode="late"/>'


def test_an_escalation_is_heard_by_the_boundary_while_the_thrower_goes_on():
    inner = (
        '<startEvent id="is"/><intermediateThrowEvent id="ix"><escalationEventDefinition escalationRef="x"/></intermediateThrowEvent>'
        + user("ia")
        + '<sequenceFlow id="f1" sourceRef="is" targetRef="ix"/><sequenceFlow id="f2" sourceRef="ix" targetRef="ia"/>'
    )
    nodes = (
        START
        + f'<subProcess id="sub">{inner}</subProcess>'
        + boundary("b", "sub", '<escalationEventDefinition escalationRef="x"/>', False)
        + user("boss")
    )
    case = Case(bundle(process(nodes, "s -> sub; b -> boss", globals=ESCALATION)))
    assert case.at == ["boss", "ia"]


def test_an_escalation_end_nobody_hears_just_ends():
    case = Case(
        bundle(
            process(
                START + '<endEvent id="e"><escalationEventDefinition escalationRef="x"/></endEvent>',
                "s -> e",
                globals=ESCALATION,
            )
        )
    )
    assert case.ended


# -- event sub-processes -----------------------------------------------------------------------


def event_sub(definition: str, interrupting: bool) -> str:
    flag = "true" if interrupting else "false"
    return f'<subProcess id="es" triggeredByEvent="true"><startEvent id="est" isInterrupting="{flag}">{definition}</startEvent>{user("esa")}<sequenceFlow id="f9" sourceRef="est" targetRef="esa"/></subProcess>'


def test_an_interrupting_event_sub_process_replaces_everything_else():
    case = Case(
        bundle(process(START + user("a") + event_sub(WAIT_FOR_PAYMENT, True), "s -> a", globals=PAYMENT)),
        variables={"order": 1},
    )
    assert case.at == ["a", "est"]
    case.catch("est", reason="withdrawn")
    assert case.at == ["esa"]
    assert case.variables["reason"] == "withdrawn"
    case.do("esa")
    assert case.ended


def test_a_case_taken_over_by_an_event_sub_process_ends_where_that_one_does():
    taken = event_sub(WAIT_FOR_PAYMENT, True).replace(
        "</subProcess>",
        '<endEvent id="withdrawn"/><sequenceFlow id="f8" sourceRef="esa" targetRef="withdrawn"/></subProcess>',
    )
    case = Case(bundle(process(START + user("a") + taken, "s -> a", globals=PAYMENT)), variables={"order": 1})
    case.catch("est")
    case.do("esa")
    assert case.end == "withdrawn"


def test_a_non_interrupting_event_sub_process_runs_beside_and_again():
    case = Case(
        bundle(process(START + user("a") + event_sub(WAIT_FOR_PAYMENT, False), "s -> a", globals=PAYMENT)),
        variables={"order": 1},
    )
    case.catch("est")
    case.catch("est")
    assert case.at == ["a", "esa", "esa", "est"]
    case.do("a")
    case.do("esa")
    case.do("esa")
    assert case.ended


def test_an_event_sub_process_catches_the_error_of_its_scope():
    nodes = (
        START
        + user("a")
        + '<endEvent id="bad"><errorEventDefinition errorRef="e1"/></endEvent>'
        + event_sub('<errorEventDefinition errorRef="e1"/>', True)
    )
    case = Case(bundle(process(nodes, "s -> a -> bad", globals=ERRORS)))
    assert case.at == ["a"]
    case.do("a")
    assert case.at == ["esa"]


# -- multi-instance ----------------------------------------------------------------------------


def rounds(sequential: bool, condition: str = "") -> str:
    inner = '<zeebe:loopCharacteristics inputCollection="=experts" inputElement="expert" outputCollection="scores" outputElement="=score"/>'
    done = f"<completionCondition>{condition}</completionCondition>" if condition else ""
    flag = "true" if sequential else "false"
    return (
        f'<multiInstanceLoopCharacteristics isSequential="{flag}">{ext(inner)}{done}</multiInstanceLoopCharacteristics>'
    )


def test_parallel_rounds_collect_their_results_in_the_order_of_the_items():
    task = user("a", '<zeebe:assignmentDefinition assignee="=expert"/>', rounds(False))
    case = Case(bundle(process(START + task + user("z"), "s -> a -> z")), variables={"experts": ["x", "y", "z"]})
    assert [w.assignee for w in case.waits] == ["x", "y", "z"]
    case.do("a", 2, score=3)
    case.do("a", 0, score=1)
    case.do("a", 0, score=2)
    assert case.at == ["z"]
    assert case.variables == {"experts": ["x", "y", "z"], "scores": [1, 2, 3]}


def test_sequential_rounds_come_one_after_the_other():
    case = Case(
        bundle(process(START + user("a", "", rounds(True)) + user("z"), "s -> a -> z")),
        variables={"experts": ["x", "y"]},
    )
    assert len(case.waits) == 1
    assert engine.visible(case.run(), case.wait("a").token)["expert"] == "x"
    case.do("a", score=1)
    assert engine.visible(case.run(), case.wait("a").token)["loopCounter"] == 2
    case.do("a", score=2)
    assert case.variables["scores"] == [1, 2]


def test_a_completion_condition_ends_the_other_rounds():
    case = Case(
        bundle(
            process(START + user("a", "", rounds(False, "=numberOfCompletedInstances >= 2")) + user("z"), "s -> a -> z")
        ),
        variables={"experts": [1, 2, 3]},
    )
    case.do("a", score=1)
    case.do("a", 1, score=3)
    assert case.at == ["z"]
    assert case.variables["scores"] == [1, None, 3]


def test_no_items_no_rounds():
    case = Case(
        bundle(process(START + user("a", "", rounds(False)) + user("z"), "s -> a -> z")), variables={"experts": []}
    )
    assert case.at == ["z"]
    assert case.variables["scores"] == []


def test_a_boundary_event_of_a_multi_instance_ends_all_rounds():
    nodes = START + user("a", "", rounds(False)) + boundary("t", "a", timer("timeDuration", "P2D")) + user("late")
    case = Case(bundle(process(nodes, "s -> a; t -> late")), variables={"experts": [1, 2, 3]})
    case.fire("t")
    assert case.at == ["late"]


def test_rounds_of_a_call_activity_do_not_mix_their_variables():
    child = process('<startEvent id="s"/>' + user("ia") + '<endEvent id="e"/>', "s -> ia -> e", pid="child")
    call = (
        f'<callActivity id="call">{ext("""<zeebe:calledElement processId="child"/>""")}{rounds(False)}</callActivity>'
    )
    case = Case(bundle(process(START + call + user("z"), "s -> call -> z"), child), variables={"experts": [1, 2]})
    case.do("ia", 1, score=20)
    case.do("ia", 0, score=10)
    assert case.variables["scores"] == [10, 20]


# -- timers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "due"),
    [
        ("timeDate", "2026-03-05", "2026-03-05T00:00:00+08:00"),
        ("timeDate", "=deadline", "2026-04-01T17:00:00+08:00"),
        ("timeDuration", "PT90M", "2026-03-02T10:30:00+08:00"),
        ("timeDuration", "P1M", "2026-04-02T09:00:00+08:00"),
    ],
)
def test_timers_take_dates_durations_and_expressions(kind, text, due):
    nodes = START + f'<intermediateCatchEvent id="t">{timer(kind, text)}</intermediateCatchEvent>' + END
    case = Case(bundle(process(nodes, "s -> t -> e")), variables={"deadline": "2026-04-01T17:00:00+08:00"})
    assert case.wait("t").due == datetime.fromisoformat(due)
    case.fire("t")
    assert case.ended


def test_a_bad_timer_is_an_incident_at_its_element_not_a_lost_case():
    nodes = (
        START + f'<intermediateCatchEvent id="t">{timer("timeDuration", "=how_long")}</intermediateCatchEvent>' + END
    )
    case = Case(bundle(process(nodes, "s -> t -> e")), variables={"how_long": "soon"})
    assert case.wait("t").code == "timer"
    case.retry("t", how_long="PT1H")
    assert case.wait("t").due == NOW + timedelta(hours=1)


# -- start, end, errors of the caller -----------------------------------------------------------


def test_a_process_can_start_at_a_message_with_its_payload_mapped():
    start = f'<startEvent id="ms">{ext("""<zeebe:ioMapping><zeebe:output source="=amount" target="paid"/></zeebe:ioMapping>""")}{WAIT_FOR_PAYMENT}</startEvent>'
    case = Case(
        bundle(process(start + user("a"), "ms -> a", globals=PAYMENT)), variables={"amount": 5}, start_event="ms"
    )
    assert case.variables == {"paid": 5}


def test_a_plain_start_keeps_what_it_was_given_and_adds_what_it_maps():
    start = f'<startEvent id="ps">{ext("""<zeebe:ioMapping><zeebe:output source="=amount * 2" target="twice"/></zeebe:ioMapping>""")}</startEvent>'
    files = bundle(process(start + user("a"), "ps -> a"))
    case = Case(files, variables={"amount": 5, "who": "x"})
    assert case.variables == {"amount": 5, "who": "x", "twice": 10}
    begun = engine.start(files, "p", {"amount": 5}, now=NOW)
    again = engine.start_again(files, "p", begun.events, now=NOW, start_event=None)
    assert engine.same(begun.run, again.run)


def test_cancelling_an_instance_ends_every_branch():
    case = Case(bundle(process(START + user("a") + user("b"), "s -> a; s -> b")))
    case.take(engine.cancel(case.run(), now=NOW))
    assert case.ended
    assert case.kinds("cancelled") == ["a", "b"]


def test_a_token_that_is_gone_cannot_be_completed_again():
    case = Case(bundle(process(START + user("a") + user("b"), "s -> a -> b")))
    token = case.wait("a").token
    case.do("a")
    with pytest.raises(engine.WrongToken):
        engine.complete(case.run(), token, {}, now=NOW)


def test_an_unknown_process_is_refused():
    with pytest.raises(engine.UnknownProcess):
        engine.start(bundle(process(START + END, "s -> e")), "nowhere", {}, now=NOW)


def test_a_loop_that_never_rests_becomes_an_incident():
    case = Case(bundle(process(START + '<exclusiveGateway id="m"/>' + script("a", "=1", "x"), "s -> m -> a -> m")))
    assert case.waits[0].code == "too-many-steps"


def test_a_failing_output_keeps_what_the_person_typed():
    task = user(
        "a", '<zeebe:ioMapping><zeebe:output source="=undefined function(score)" target="y"/></zeebe:ioMapping>'
    )
    case = Case(bundle(process(START + task + user("z"), "s -> a -> z")))
    case.do("a", score=4)
    assert isinstance(case.wait("a"), IncidentWait)
    token = case.run().instance.find(case.wait("a").token)
    assert token.internal_data["result"] == {"score": 4}
