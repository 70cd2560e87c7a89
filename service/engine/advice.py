"""Why a finding matters and what to do about it, rule by rule."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """Two sentences for a process owner, in both languages."""

    why_zh: str
    fix_zh: str
    why_en: str
    fix_en: str


def of(rule: str) -> Advice:
    """The advice for a rule; a general one where nothing particular is known."""
    return ADVICE.get(rule) or _GENERAL


_GENERAL = Advice(
    "不改正就不能可靠地运行。",
    "按提示修改该元素；不确定时可撤销最近的改动。",
    "It cannot run reliably as it is.",
    "Change the element as the message says, or undo the last change.",
)

_STUCK = ("案件走到这里就停住，没有人能推动它。", "A case that comes here stops, and nobody can move it.")
_NOBODY = ("任务会出现，却不在任何人的收件箱里。", "The task would come about in nobody's inbox.")
_ENGINE = (
    "引擎无法忠实执行这种写法，为避免运行时出错，部署时就拒绝。",
    "The engine cannot run this faithfully, so it is refused at deployment.",
)
_MISSING = (
    "引用的内容必须随同一个部署包一起发布，否则案件运行时找不到。",
    "What is referred to has to be in the same bundle, or cases do not find it.",
)


def _advice(why: tuple[str, str], fix_zh: str, fix_en: str) -> Advice:
    return Advice(why[0], fix_zh, why[1], fix_en)


ADVICE: dict[str, Advice] = {
    "xml": _advice(
        ("文件打不开，其中的流程都无法检查。", "The file cannot be read, so nothing in it can be checked."),
        "重新从建模工具导出，或从历史中恢复上一版。",
        "Export it again from the modeler, or bring back an earlier revision.",
    ),
    "not-bpmn": _advice(_ENGINE, "确认选对了文件；BPMN 文件以 .bpmn 结尾。", "Check that this is the right file."),
    "no-process": _advice(
        ("没有流程就没有可以发起的事项。", "Without a process nobody can start anything."),
        "新建流程图，或把流程的“可执行”勾上。",
        "Draw a process, or mark one as executable.",
    ),
    "not-executable": _advice(
        ("未标为可执行的流程只作说明，不会运行。", "A process that is not executable is only an illustration."),
        "选中流程（空白处），在属性面板勾选“可执行”。",
        "Select the process (click the canvas) and tick Executable.",
    ),
    "unknown-element": _advice(_ENGINE, "改用支持的元素，见“图中可以有什么”。", "Use a supported element instead."),
    "event-unsupported": _advice(
        _ENGINE, "改用消息、定时、错误或升级事件。", "Use a message, timer, error or escalation event."
    ),
    "event-kind": _advice(_ENGINE, "换成此处允许的事件类型。", "Choose an event type that is allowed here."),
    "event-multiple": _advice(
        _ENGINE, "拆成几个事件，每个只有一种定义。", "Split it into events with one definition each."
    ),
    "loop-standard": _advice(_ENGINE, "画一条回流，或改为多实例。", "Draw a flow back, or make it a multi-instance."),
    "compensation": _advice(_ENGINE, "把补偿画成普通的后续步骤。", "Draw the compensation as ordinary steps."),
    "camunda-7": _advice(
        ("这些扩展属于另一种引擎，会被悄悄忽略。", "These extensions belong to another engine and would be ignored."),
        "删除扩展，改用属性面板中的设置。",
        "Remove the extension and use the settings of the properties panel.",
    ),
    "script-language": _advice(
        (
            "图里不允许任何编程语言，以免误伤服务器和他人数据。",
            "No programming language runs in a diagram, to keep the server and others' data safe.",
        ),
        "改写为 FEEL 表达式。",
        "Write it as a FEEL expression.",
    ),
    "script-missing": _advice(
        _STUCK, "填写 FEEL 表达式和结果变量名。", "Give a FEEL expression and a result variable."
    ),
    "id-missing": _advice(_ENGINE, "给元素填写 id。", "Give the element an id."),
    "id-duplicate": _advice(
        ("历史、待办和迁移都按 id 认元素，重复就会张冠李戴。", "History, tasks and migration know elements by id."),
        "改掉其中一个 id。",
        "Change one of the ids.",
    ),
    "id-reserved": _advice(_ENGINE, "换一个 id。", "Choose another id."),
    "process-duplicate": _advice(_ENGINE, "给其中一个流程换 id。", "Give one of the processes another id."),
    "no-start": _advice(
        ("没有起点就无法发起。", "Without a start nobody can begin."), "画一个开始事件。", "Draw a start event."
    ),
    "no-end": _advice(
        ("没有终点，案件永远不会办结。", "Without an end a case is never over."),
        "给每条路径画上结束事件。",
        "Draw an end event on every path.",
    ),
    "implicit-end": _advice(
        ("读图的人看不出流程在这里结束是有意的。", "Readers cannot tell whether ending here is meant."),
        "在它后面画一个结束事件。",
        "Draw an end event after it.",
    ),
    "start-multiple": _advice(_ENGINE, "只保留一个无类型的开始事件。", "Keep one plain start event."),
    "start-kind": _advice(_ENGINE, "换成此处允许的开始事件。", "Use a start event that is allowed here."),
    "subprocess-start": _advice(_ENGINE, "子流程里只画一个无类型的开始事件。", "Draw one plain start event inside."),
    "event-subprocess-start": _advice(
        _ENGINE, "给事件子流程一个消息、定时、错误或升级开始事件。", "Give it one typed start event."
    ),
    "event-subprocess-flow": _advice(
        _ENGINE, "删掉连到事件子流程的顺序流；它由事件触发。", "Remove the flow; an event starts it."
    ),
    "flow-end": _advice(_ENGINE, "删掉这条流，或重新连接。", "Remove the flow or connect it again."),
    "flow-into-event": _advice(
        _ENGINE, "开始事件和边界事件没有入口，删掉这条流。", "Start and boundary events have no way in."
    ),
    "flow-out-of-end": _advice(_ENGINE, "结束事件之后不能再有步骤，删掉这条流。", "Nothing follows an end event."),
    "flow-condition": _advice(
        _STUCK, "填写 FEEL 条件，或把这个出口设为默认。", "Give a FEEL condition, or make this way the default."
    ),
    "needless-condition": _advice(
        ("条件不起作用，会让读图的人误解。", "The condition has no effect and misleads readers."),
        "删掉条件，或改用排他网关。",
        "Remove the condition, or use an exclusive gateway.",
    ),
    "no-default": _advice(
        ("所有条件都不成立时，案件会变成异常等人处理。", "If no condition holds, the case becomes an incident."),
        "右击最后一个出口，设为默认流。",
        "Make the last way out the default flow.",
    ),
    "default-flow": _advice(_ENGINE, "重新指定默认流。", "Choose the default flow again."),
    "no-way-out": _advice(_STUCK, "给它画上出口。", "Draw a way out of it."),
    "event-gateway-target": _advice(
        _ENGINE, "在事件网关后面接消息或定时捕获事件。", "Put catching events behind the gateway."
    ),
    "unreachable": _advice(
        ("画了却走不到，多半是漏连了线。", "It is drawn but never happens; probably a flow is missing."),
        "从前一步连过来，或删掉它。",
        "Connect it, or remove it.",
    ),
    "deadlock": _advice(
        ("走到这里的案件永远等不齐分支，没有任何提示。", "Cases that come here wait for ever, silently."),
        "点“演示路径”看怎么走到这里；排他分开的用排他汇合，并行分开的用并行汇合。",
        "Play the path; join exclusive ways with an exclusive gateway, parallel ones with a parallel gateway.",
    ),
    "unbounded": _advice(
        ("后面的任务会一遍遍重复出现，越积越多。", "The tasks behind it would come about again and again."),
        "点“演示路径”查看；并行分开的分支要先用并行网关汇合再往回走。",
        "Play the path; join parallel branches before a flow goes back.",
    ),
    "lost-token": _advice(
        ("办结时还有别的分支在办，那些工作会被丢弃。", "Work on other branches is thrown away."),
        "点“演示路径”查看；先汇合各分支，再结束。",
        "Play the path; join the branches before the end.",
    ),
    "no-option-to-complete": _advice(
        ("走进这个圈就再也出不来，案件永远办不结。", "There is no way out of this loop; the case never ends."),
        "给循环画一个出口。",
        "Draw a way out of the loop.",
    ),
    "too-large": _advice(
        (
            "这么大的图没有人读得懂，检查也会拖住所有人。",
            "Nobody can read such a diagram, and its check takes long.",
        ),
        "把它拆成几个流程，用调用活动连起来。",
        "Divide it into several processes, joined by call activities.",
    ),
    "related-parties": _advice(
        ("读不出参与方，就没有人知道谁应当回避。", "Without it nobody knows who has to keep away."),
        "写成 FEEL，例如 ={partner: application.partners}。",
        "Write FEEL, such as ={partner: application.partners}.",
    ),
    "start-check": _advice(
        ("找不到决策，发起前就不会提示哪些条件不满足。", "Without it nobody is told what stands in the way."),
        "改成副本中有的决策，或删除这个属性。",
        "Name a decision of this copy, or remove the property.",
    ),
    "findings-many": _advice(
        ("问题太多时，逐条列出帮不上忙，还会拖慢检查。", "So many findings help nobody and slow the check down."),
        "先解决已列出的，再检查一次。",
        "Put the listed ones right and check again.",
    ),
    "soundness-open": _advice(
        ("死锁检查没有做完，不等于没有问题。", "The check for deadlocks was not finished."),
        "把大图拆成子流程或调用活动。",
        "Divide the diagram into sub-processes or called processes.",
    ),
    "form-missing": _advice(_MISSING, "选择已有的表单，或新建同名表单。", "Choose a form that is there, or make it."),
    "form-none": _advice(
        ("没有表单，办理人只能点“完成”，不留任何内容。", "Without a form, doing the task leaves no content."),
        "在“表单”中选一个表单。",
        "Choose a form.",
    ),
    "form": _advice(_MISSING, "从历史恢复，或重新导出表单。", "Bring back an earlier revision of the form."),
    "form-duplicate": _advice(_MISSING, "改掉其中一个表单的 id。", "Change the id of one of the forms."),
    "form-field-unused": _advice(
        (
            "办理人要花时间填写，填了却没有去处。若只为存档，可以保留。",
            "People spend time on it and it goes nowhere. If it is for the file alone, keep it.",
        ),
        "在条件、决策表、后面的表单或文件模板中用上它，或从表单中删除。",
        "Use it in a condition, a table, a later form or a template, or take it out of the form.",
    ),
    "contract-open": _advice(
        ("没有检查到的变量不等于没有问题。", "What was not followed may still be wrong."),
        "把部署拆成几个。",
        "Divide the deployment.",
    ),
    "form-unused": _advice(
        ("没有任务用到它，多半是漏选了。", "No task uses it; perhaps it was forgotten."),
        "在任务上选用它，或删除。",
        "Choose it at a task, or remove it.",
    ),
    "form-component": _advice(
        ("办理人看不到这个组件，填不了内容。", "People would not see this component."),
        "换成支持的组件。",
        "Use a supported component.",
    ),
    "role-none": _advice(_NOBODY, "选择办理角色，或把任务放进泳道。", "Choose a role, or put the task into a lane."),
    "role-unknown": _advice(_NOBODY, "从列表里选一个角色。", "Choose a role from the list."),
    "lane-unknown": _advice(
        _NOBODY,
        "从列表里选泳道名称，或给任务单独指定角色。",
        "Choose the lane's name from the list, or give the task a role.",
    ),
    "topic-missing": _advice(_STUCK, "选择服务模板，或填写任务类型。", "Choose a service template, or give a type."),
    "topic-unknown": _advice(
        _STUCK,
        "从服务模板里选；新的类型需要开发人员先写处理程序。",
        "Choose a template; a new type needs a handler first.",
    ),
    "decision-none": _advice(_STUCK, "选择决策表，填写结果变量。", "Choose a decision and a result variable."),
    "decision-missing": _advice(
        _MISSING, "选择已有的决策，或新建决策表。", "Choose a decision that is there, or make a table."
    ),
    "decision-duplicate": _advice(_MISSING, "改掉其中一个决策的 id。", "Change the id of one of the decisions."),
    "process-none": _advice(_STUCK, "选择要调用的流程。", "Choose the process to call."),
    "process-missing": _advice(
        _MISSING, "选择已有的流程，或把它加进来。", "Choose a process that is there, or add it."
    ),
    "message-missing": _advice(_STUCK, "选择或新建消息。", "Choose or make a message."),
    "correlation-key": _advice(
        ("没有关联键，消息不知道该送给哪个案件。", "Without a key nobody knows which case a message is for."),
        "填写关联键，通常是 =caseNumber。",
        "Give a correlation key, usually =caseNumber.",
    ),
    "code-missing": _advice(_ENGINE, "填写错误或升级代码。", "Give the error or escalation code."),
    "reference": _advice(_ENGINE, "重新选择引用的对象。", "Choose what it refers to again."),
    "boundary-host": _advice(_ENGINE, "把边界事件拖到任务的边上。", "Drag the boundary event onto a task."),
    "boundary-error": _advice(_ENGINE, "错误边界事件必须中断任务。", "An error boundary event interrupts."),
    "boundary-escalation": _advice(
        _ENGINE, "升级边界事件只能放在子流程或调用活动上。", "Put it on a sub-process or call activity."
    ),
    "timer-missing": _advice(
        _STUCK, "填写时间，例如 P5D 或 =workdays(…)。", "Give a time, such as P5D or =workdays(…)."
    ),
    "timer-bad": _advice(
        _STUCK, "写成 ISO 8601，例如 PT2H、P5D、2026-03-15。", "Write ISO 8601, such as PT2H, P5D, 2026-03-15."
    ),
    "timer-cycle": _advice(
        _ENGINE,
        "中断的定时事件不能循环，改为时长，或改为不中断。",
        "Use a duration, or make the event non-interrupting.",
    ),
    "date-bad": _advice(_STUCK, "写成 2026-03-15 或 FEEL 表达式。", "Write 2026-03-15 or a FEEL expression."),
    "priority-bad": _advice(_ENGINE, "填 0 到 100 的整数。", "Give a whole number from 0 to 100."),
    "loop-collection": _advice(_STUCK, "填写输入集合，例如 =panel。", "Give the input collection, such as =panel."),
    "mapping-target": _advice(_ENGINE, "变量名用字母开头，不含空格和运算符。", "A variable name begins with a letter."),
    "feel": _advice(
        ("表达式算不出结果，案件会停成异常。", "The expression cannot be evaluated; cases become incidents."),
        "在 FEEL 编辑器里改正标红处。",
        "Put right what the FEEL editor marks.",
    ),
    "variable-unwritten": _advice(
        ("这个变量从来没有人写入，读到的总是空值。", "Nobody ever writes this variable, so it is always null."),
        "检查拼写；或在前面的表单、决策表、服务任务中写入它。",
        "Check the spelling, or write it in a form, table or service before.",
    ),
    "variable-maybe-unwritten": _advice(
        (
            "有的路径走到这里时它还没有值，条件会当作不成立。",
            "On some paths it has no value yet when a case comes here.",
        ),
        "点“演示路径”看是哪条路径；在那条路径上写入它，或在表达式里处理空值。",
        "Play the path; write it on that path, or handle null in the expression.",
    ),
    "dmn-gap": _advice(
        (
            "落在空档里的输入没有结果（空值），后面的条件会当作不成立。",
            "Input in the gap has no result (null), and conditions behind it do not hold.",
        ),
        "补一行规则，加一行什么条件都不填的兜底规则，或在输入列写明允许的值。",
        "Add a rule for it, a last rule without conditions, or the allowed values of the input.",
    ),
    "dmn-open": _advice(
        ("没有检查到的格子不等于没有问题。", "What was not looked at may still be wrong."),
        "把变量或函数移到输入列的表达式里，格子里只写值和范围；或用情景测试覆盖它。",
        "Move variables and functions into the input's expression and keep values and ranges in the cells, or test it.",
    ),
    "dmn-overlap": _advice(
        ("“唯一命中”的表同时命中两行就出错，案件会停成异常。", "A unique table with two hits fails."),
        "改窄其中一行，或改用 FIRST 等命中策略。",
        "Narrow one of the rules, or use another hit policy.",
    ),
    "dmn-unreachable": _advice(
        ("这一行永远轮不到，写了也不起作用。", "This rule never counts."),
        "把它移到前面，或删除。",
        "Move it up, or remove it.",
    ),
    "dmn-hit-policy": _advice(_ENGINE, "从列表中选命中策略。", "Choose a hit policy from the list."),
    "template-syntax": _advice(
        ("模板打不开，生成文件时会失败。", "The template cannot be filled; issuing a document would fail."),
        "在 Word 中改正占位符的写法，例如 {{ base.name }}。",
        "Put the placeholder right in Word, such as {{ base.name }}.",
    ),
    "template-unknown": _advice(
        ("没有人提供这个占位符的内容，文件里会是空白。", "Nobody provides this placeholder; it stays empty."),
        "检查占位符的拼写。",
        "Check the spelling of the placeholder.",
    ),
    "template-missing": _advice(_MISSING, "上传模板文件，或改正名称。", "Upload the template, or correct its name."),
    "no-implicit-split": _advice(
        ("几条分支会同时开始，图上却看不出来。", "Branches begin together and the drawing does not show it."),
        "在后面画并行网关，或给出口写条件。",
        "Draw a parallel gateway behind it, or give the flows conditions.",
    ),
    "no-duplicate-sequence-flows": _advice(
        ("后面的任务会出现两次。", "The task behind it would come about twice."),
        "删掉重复的线。",
        "Remove one of them.",
    ),
    "no-gateway-join-fork": _advice(
        ("一个菱形两层意思，容易误读。", "One diamond with two meanings is easily misread."),
        "前面用一个网关汇合，后面用另一个分开。",
        "Join with one gateway and split with another.",
    ),
    "superfluous-gateway": _advice(
        ("多余的元素让图变难读。", "What is not needed makes a diagram harder to read."),
        "删掉网关，把两条流接起来。",
        "Remove the gateway and connect the flows.",
    ),
    "superfluous-termination": _advice(
        ("终止事件暗示会丢弃别的分支，这里没有。", "It suggests that other branches are thrown away; there are none."),
        "换成普通结束事件。",
        "Use a plain end event.",
    ),
    "no-overlapping-elements": _advice(
        ("压在一起的元素会被漏看。", "Elements on top of each other are overlooked."),
        "把它们拖开。",
        "Drag them apart.",
    ),
    "no-bpmndi": _advice(
        ("看不见的元素照样会执行。", "An element nobody sees is executed all the same."),
        "删除后重新画出来；用命令行的，可运行 guohe layout。",
        "Remove it and draw it again; on the command line, guohe layout draws it.",
    ),
    "label-required": _advice(
        ("没有名称，收件箱、历史和统计里只有编号。", "Inbox, history and figures show an id only."),
        "双击元素写上名称。",
        "Double-click it and give it a name.",
    ),
    "drawing-open": _advice(
        ("没有检查到的图不等于画得清楚。", "What was not looked at may still be unclear."),
        "用建模工具重新导出后再试。",
        "Export it again from a modeler and try anew.",
    ),
    "feel-filter": _advice(
        ("列表不会逐项筛选，得到的是整张表或什么都没有。", "The list is not filtered item by item."),
        "在方括号里的函数后面写“= true”。",
        "Write “= true” behind the function in the brackets.",
    ),
    "english-file": _advice(
        ("读不出来的英文文件等于没有英文。", "A file of English that cannot be read is no English at all."),
        "en.json 应为一个 JSON 对象，中文对英文；可运行 guohe translate，或在工作台的“英文”页改。",
        "en.json is one JSON object, Chinese to English. Run guohe translate, or use the page “English” of a copy.",
    ),
    "english-text": _advice(
        (
            "占位符不同，英文读者会看到不同或空白的内容。",
            "With other placeholders readers of English see something else.",
        ),
        "在英文里照抄中文的 {{…}}，只翻译其余文字。",
        "Copy the {{…}} of the Chinese into the English and translate the rest.",
    ),
    "english-leftover": _advice(
        ("中文改过或删掉了，这些英文不再显示。", "The Chinese was changed or removed; this English is shown nowhere."),
        "核对改过的中文，重新配英文；运行 guohe translate 可去掉多余的。",
        "Look at the changed Chinese and translate it again; guohe translate takes away what is left over.",
    ),
    "english-missing": _advice(
        ("没有英文的文字，英文读者看到的是中文。", "Where there is no English, readers of English see the Chinese."),
        "在工作台的“英文”页补上，或运行 guohe translate 后填写 en.json。",
        "Fill it in on the page “English” of the workbench, or run guohe translate and edit en.json.",
    ),
    "english-rival": _advice(
        (
            "同一文字有两种英文，别的文件夹会用其中一种。",
            "A text has two kinds of English, and other folders use one of them.",
        ),
        "删去没有用到它的文件夹里的那一条。",
        "Remove it from the folder that does not use it.",
    ),
    "form-structure": _advice(
        ("办理人打不开这张表单，任务就办不了。", "People cannot open the form, so the task cannot be done."),
        "删掉不认识的组件，或改掉重复的字段名；也可从历史恢复。",
        "Remove the unknown component, give fields different keys, or bring back an earlier revision.",
    ),
    "form-feel": _advice(
        ("字段的显示、计算或校验会失灵。", "Showing, calculating or checking the field fails."),
        "改正该属性的 FEEL 表达式。",
        "Put the FEEL of that property right.",
    ),
    "form-pattern": _advice(
        ("校验格式不起作用，填什么都会被拒。", "The pattern cannot be applied, so whatever is typed is refused."),
        "改正正则表达式，或删掉校验格式。",
        "Put the regular expression right, or remove it.",
    ),
    "dmn-namespace": _advice(_ENGINE, "用建模工具另存为 DMN 1.3。", "Save it as DMN 1.3 in a modeler."),
    "dmn-empty": _advice(_MISSING, "画一个决策，或删除文件。", "Draw a decision, or remove the file."),
    "dmn-language": _advice(_ENGINE, "改写为 FEEL。", "Write it in FEEL."),
    "dmn-id": _advice(_ENGINE, "给决策填写唯一的 id。", "Give the decision an id of its own."),
    "dmn-function": _advice(_ENGINE, "改写为 FEEL 函数。", "Write it as a FEEL function."),
    "dmn-logic": _advice(
        ("决策没有内容，案件走到这里会停成异常。", "The decision is empty; a case would become an incident."),
        "给它一张决策表或一个表达式。",
        "Give it a table or an expression.",
    ),
    "dmn-boxed": _advice(_ENGINE, "用 FEEL 的 for、some、every 书写。", "Write it with FEEL's for, some and every."),
    "dmn-aggregation": _advice(
        _ENGINE, "只保留一个输出列，或去掉汇总。", "Keep one output column, or do without the aggregation."
    ),
    "dmn-priority": _advice(
        _ENGINE, "在输出列列出取值，排在前面的优先。", "List the output's values, the most important first."
    ),
    "dmn-outputs": _advice(_ENGINE, "加一个输出列。", "Add an output column."),
    "dmn-output-names": _advice(
        ("几个输出合成一个结果，没有名称就取不到。", "The outputs make one result and are found by their names."),
        "给每个输出列填写不同的名称。",
        "Give every output column a name of its own.",
    ),
    "dmn-input": _advice(
        ("没有表达式的列不知道该比较什么。", "A column without an expression has nothing to compare."),
        "填写输入表达式，例如 applicant.kind。",
        "Give the input an expression, such as applicant.kind.",
    ),
    "dmn-cells": _advice(
        ("整张表会错位。", "The whole table would be out of step."),
        "补齐或删除这一行的单元格。",
        "Add or remove cells of the row.",
    ),
    "dmn-requirement": _advice(
        _MISSING, "重新连接所需的决策，或删除连线。", "Connect what it requires again, or remove the line."
    ),
    "dmn-cycle": _advice(
        ("决策互相等待，永远算不出来。", "The decisions wait for each other."),
        "删除其中一条连线。",
        "Remove one of the lines.",
    ),
    "corrections-feel": _advice(
        (
            "退回的字段认不出来，办理人不知道该改哪里。",
            "What was returned cannot be read, so nobody sees what to correct.",
        ),
        "写成以“=”开头的 FEEL，给出字段和要求的列表。",
        "Write FEEL that begins with “=” and gives a list of fields and remarks.",
    ),
    "clock-bad": _advice(
        ("退回期间是否计时无法判断。", "Whether the clock stands during a return cannot be told."),
        "删掉该属性，或写 continues。",
        "Remove the property, or write continues.",
    ),
    "excludes-place": _advice(
        ("职责分离只对人办理的任务有意义。", "Only tasks that people do can be kept apart."),
        "把它移到用户任务上，或删除。",
        "Move it to a user task, or remove it.",
    ),
    "excludes-unknown": _advice(
        ("指向的任务不存在，职责分离不起作用。", "The task it names is not there, so nobody is kept apart."),
        "写上流程中用户任务的 id。",
        "Name the id of a user task of the process.",
    ),
    "excludes-itself": _advice(
        ("一个任务只办一次，不必与自身分离。", "A task that is done once need not be kept apart from itself."),
        "删掉自身，或把任务设为多实例。",
        "Remove it, or make the task a multi-instance.",
    ),
    "excludes-party": _advice(
        ("案件里没有这一方，回避不起作用。", "The case has no such party, so nobody is kept away."),
        "从列出的当事方中选。",
        "Choose one of the parties that the message lists.",
    ),
    "personal-bad": _advice(
        ("是否只能本人办理无法判断。", "Whether nobody may stand in cannot be told."),
        "写 true 或 false，或删除该属性。",
        "Write true or false, or remove the property.",
    ),
    "returns-form": _advice(
        ("退回时没有可以指明字段的表单。", "There is no form whose fields could be named in a return."),
        "选择带表单的任务，或改正表单名称。",
        "Choose a task with a form, or correct the form's name.",
    ),
}
