"""The service-task topics as process owners see them: what each does, reads and gives.

The handlers are in ``service/handlers``; a test holds this list against them. Editors make element templates of it,
and the data contract knows from it which variables a service task writes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """A header or an input: its key, its name in Chinese and English, and whether it may be left out."""

    key: str
    zh: str
    en: str
    optional: bool = False
    value: str = ""
    choices: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """What a service task of this type does. ``writes`` are the variables it gives."""

    type: str
    zh: str
    en: str
    about_zh: str
    about_en: str
    headers: tuple[Field, ...] = ()
    inputs: tuple[Field, ...] = ()
    writes: tuple[str, ...] = ()


def _input(key: str, zh: str, en: str, *, optional: bool = False, value: str | None = None) -> Field:
    return Field(key, zh, en, optional, f"={key}" if value is None else value)


APPLICANT = _input("applicant", "申报机构", "Applicant")
RECOMMENDER = _input("recommender", "推荐部门", "Recommender")
BASE_TYPE = _input("baseType", "基地类型", "Type of base")
NUMBER = _input("documentNumber", "文号", "Document number")

DOCUMENT_KINDS = (
    ("accreditation", "认定文件", "Accreditation"),
    ("joint_accreditation", "联合认定文件", "Joint accreditation"),
    ("notice", "通知", "Notice"),
    ("revocation", "取消资格文件", "Revocation"),
    ("commendation", "表扬文件", "Commendation"),
)

TOPICS: tuple[Topic, ...] = (
    Topic(
        "lookup_organisation",
        "读取机构",
        "Look up an organisation",
        "读出本案一方的机构信息，写入 organisation。",
        "Reads the organisation that plays a party of the case.",
        headers=(
            Field(
                "party",
                "哪一方",
                "Party",
                choices=(
                    ("applicant", "申报机构", "Applicant"),
                    ("recommender", "推荐部门", "Recommender"),
                    ("zone", "国家高新区", "High-tech zone"),
                    ("province", "省级人民政府", "Provincial government"),
                ),
            ),
        ),
        inputs=(_input("parties", "案件各方", "Parties", optional=True),),
        writes=("organisation",),
    ),
    Topic(
        "assign_recommender",
        "确定推荐部门",
        "Assign the recommender",
        "按隶属或属地确定推荐部门；查不到时抛出 no_recommender。",
        "Finds the recommending department; throws no_recommender where there is none.",
        inputs=(
            _input("route", "推荐路径", "Route", optional=True),
            APPLICANT,
            _input("chosen", "人工指定的机构代码", "Chosen by a person", optional=True, value=""),
        ),
        writes=("recommender", "parties"),
    ),
    Topic(
        "check_ban",
        "核查禁申期",
        "Check for a ban",
        "按统一社会信用代码核查法人是否在禁申期内。",
        "Is the legal entity barred on that day?",
        inputs=(APPLICANT, _input("checkedOn", "核查日期", "Day", optional=True, value="=today()")),
        writes=("ban",),
    ),
    Topic(
        "lookup_register",
        "读取登记库",
        "Look into the register",
        "读出申报机构已有的基地、项目和在办案件。",
        "What the register holds on the applicant.",
        inputs=(APPLICANT, replace(RECOMMENDER, optional=True), BASE_TYPE),
        writes=("registerFacts",),
    ),
    Topic(
        "list_experts",
        "检索专家库",
        "List experts",
        "列出符合领域的专家；在申报机构或本案所列单位任职的另列，并注明原因。",
        "Experts of the fields; apart, with the reason, who works for the applicant or an organisation of the case.",
        headers=(
            Field(
                "role",
                "专家角色",
                "Role",
                choices=(
                    ("experts.reviewer", "评审专家", "Reviewer"),
                    ("experts.visitor", "考核专家", "Visitor"),
                ),
            ),
        ),
        inputs=(
            _input("fields", "领域", "Fields", optional=True, value="=application.fields"),
            _input("excluded", "排除的专家", "Excluded", optional=True, value="=[]"),
        ),
        writes=("expertCandidates", "expertsKeptAway"),
    ),
    Topic(
        "layout_report",
        "汇总全国布局",
        "Sum up the national layout",
        "统计同类基地的地区和领域分布。",
        "Counts the bases of the type by region and field.",
        inputs=(
            BASE_TYPE,
            _input("region", "所在地区", "Region", optional=True, value="=applicant.region"),
            _input("fields", "领域", "Fields", optional=True, value="=application.fields"),
        ),
        writes=("layoutFacts",),
    ),
    Topic(
        "publish_notice",
        "发布公示",
        "Publish a notice",
        "在专栏发布公示及起止日期。",
        "Posts a public notice with its period.",
        inputs=(
            _input("noticeTitle", "标题", "Title", value=""),
            _input("noticeText", "正文", "Text", value=""),
            _input("noticeFrom", "起", "From", optional=True, value=""),
            _input("noticeUntil", "止", "Until", optional=True, value=""),
        ),
        writes=("noticeArticle",),
    ),
    Topic(
        "next_document_number",
        "取文号",
        "Take a document number",
        "按发文机关和种类取下一个文号。",
        "Takes the next number of the issuer's series.",
        headers=(Field("kind", "文件种类", "Kind", choices=DOCUMENT_KINDS),),
        inputs=(_input("issuers", "发文机关", "Issuers", optional=True, value="=rules.issuers"),),
        writes=("documentNumber",),
    ),
    Topic(
        "issue_document",
        "生成正式文件",
        "Issue a document",
        "用 Word 模板生成文件，登记文号并归入案卷。",
        "Fills in a Word template and enters the document under its number.",
        headers=(
            Field("kind", "文件种类", "Kind", choices=DOCUMENT_KINDS),
            Field("template", "模板文件名", "Template"),
        ),
        inputs=(
            NUMBER,
            _input("issuers", "发文机关", "Issuers", optional=True, value="=rules.issuers"),
            _input("documentTitle", "标题", "Title", optional=True, value=""),
            _input("documentData", "填入模板的内容", "Data for the template", optional=True, value=""),
        ),
        writes=("document",),
    ),
    Topic(
        "register_base",
        "登记入库",
        "Enter the base in the register",
        "把认定的基地登记入库。",
        "Enters the accredited base.",
        inputs=(
            BASE_TYPE,
            APPLICANT,
            RECOMMENDER,
            _input("application", "申报材料", "Application"),
            _input("document", "认定文件", "Document"),
            _input("decidedOn", "认定日期", "Day", optional=True, value="=today()"),
            _input("ruleSet", "所依据的办法", "Measures in force", optional=True),
        ),
        writes=("base",),
    ),
    Topic(
        "record_plaque",
        "登记授牌",
        "Record the plaque",
        "记下已授牌。",
        "Notes that the plaque was given.",
        inputs=(_input("base", "基地", "Base"), _input("plaque", "授牌", "Plaque")),
    ),
    Topic(
        "publish_column",
        "专栏发布",
        "Publish in the column",
        "在专栏的一个栏目发布文章。",
        "Publishes an article in a section of the column.",
        headers=(Field("section", "栏目", "Section", optional=True),),
        inputs=(
            _input("section", "栏目（没有固定栏目时）", "Section (where it is not fixed)", optional=True, value=""),
            _input("articleTitle", "标题", "Title", value=""),
            _input("articleText", "正文", "Text", optional=True, value=""),
            _input("base", "基地", "Base", optional=True),
        ),
        writes=("article",),
    ),
    Topic(
        "notify",
        "通知",
        "Notify",
        "给本案某些角色或指定的人发站内通知和邮件。",
        "Tells roles of the case, or certain people, in the inbox and by mail.",
        headers=(Field("to", "角色代码（逗号分隔）", "Roles (comma separated)", optional=True),),
        inputs=(
            _input("noteTitle", "标题", "Title", value=""),
            _input("noteText", "正文", "Text", optional=True, value=""),
            _input("recipients", "用户名列表", "User names", optional=True, value=""),
        ),
    ),
)


def _topic(
    type: str,
    zh: str,
    en: str,
    inputs: str = "",
    writes: str = "",
    *,
    about: Pair = ("", ""),
    headers: tuple[Field, ...] = (),
) -> Topic:
    """A topic whose inputs are called what the variables are called; an input with a question mark is optional."""
    read = []
    for key in inputs.split():
        name = key.removesuffix("?")
        read.append(_input(name, *INPUTS[name], optional=key.endswith("?")))
    return Topic(type, zh, en, about[0] or zh, about[1] or en, headers, tuple(read), tuple(writes.split()))


INPUTS: dict[str, Pair] = {
    "parties": ("案件各方", "Parties"),
    "code": ("机构代码", "Code of the organisation"),
    "park": ("创新园（机构代码）", "Park (organisation code)"),
    "year": ("年份", "Year"),
    "base": ("基地", "Base"),
    "baseNumber": ("基地编号", "Number of the base"),
    "reportYear": ("哪一年以前的材料", "Reports before which year"),
    "partner": ("外方伙伴", "Foreign partner"),
    "detail": ("表单内容", "Content of the form"),
    "cycle": ("年度部署", "Cycle of the year"),
    "annualPlan": ("年度计划", "Annual plan"),
    "annualSummary": ("年度总结", "Annual summary"),
    "reportOpinion": ("推荐部门意见", "Opinion of the recommender"),
    "grade": ("等级", "Grade"),
    "result": ("结果", "Result"),
    "reason": ("理由", "Reason"),
    "document": ("文件", "Document"),
    "liftedOn": ("解除日期", "Day"),
    "statuses": ("算作“执行”的项目状态", "Project statuses that count"),
    "banYears": ("几年内不得再申请", "Years of ban"),
    "passedYear": ("合格的年度", "Year that passed"),
    "finding": ("违规线索", "Finding"),
    "seriousness": ("情节认定", "Seriousness"),
    "decidedOn": ("决定日期", "Day of the decision"),
    "applicant": ("申报机构", "Applicant"),
    "ban": ("禁申期", "Ban"),
    "projectNumber": ("项目编号", "Project number"),
    "matching": ("经费匹配", "Matching funds"),
    "nomination": ("人才提名", "Nomination"),
    "changeRequest": ("变更申请", "Change request"),
    "effectiveOn": ("生效日期", "Effective on"),
    "endedOn": ("退出日期", "Ended on"),
    "window": ("申报期", "Filing period"),
    "agenda": ("会商议题", "Subject of the consultation"),
    "project": ("项目", "Project"),
    "issue": ("问题", "Issue"),
    "action": ("措施", "Action"),
}


def _status(*choices: tuple[str, str, str], key: str = "status", zh: str = "状态", en: str = "Status") -> tuple[Field]:
    return (Field(key, zh, en, choices=choices),)


PARTY = Field(
    "party",
    "哪一方",
    "Party",
    choices=(
        ("applicant", "申报机构", "Applicant"),
        ("recommender", "推荐部门", "Recommender"),
        ("zone", "国家高新区", "High-tech zone"),
        ("province", "省级人民政府", "Provincial government"),
    ),
)

TOPICS += (
    _topic("add_party", "确定案件一方", "Add a party", "code parties?", "organisation parties", headers=(PARTY,)),
    _topic("lookup_agenda", "核对会商议题", "Look up the agenda", "parties? park? year?", "agendaItems"),
    _topic("record_window", "登记申报期", "Announce a filing period", "window"),
    _topic("record_agenda", "登记会商议题", "Enter a subject of the consultation", "agenda"),
    _topic("record_project", "登记项目", "Enter a project", "project"),
    _topic("list_candidates", "检索候选机构", "List candidates", "parties? statuses?", "candidates"),
    _topic(
        "record_foreign_plaque",
        "登记外方挂牌进展",
        "Record a foreign plaque",
        "base partner detail?",
        headers=_status(
            ("requested", "已提出", "Requested"),
            ("recognised", "已认同", "Recognised"),
            ("refused", "未认同", "Refused"),
            ("confirmed", "已确认", "Confirmed"),
            ("placed", "已挂牌", "Placed"),
            ("ended", "终止", "Ended"),
        ),
    ),
    _topic(
        "lookup_base",
        "读取基地",
        "Look up a base",
        "baseNumber reportYear?",
        "base applicant recommender parties formerReport",
        headers=(PARTY,),
    ),
    _topic(
        "list_own_bases",
        "列出本单位基地",
        "List own bases",
        "parties?",
        "ownBases",
        about=(
            "列出本单位的有效基地；按推荐部门列出时，为其所推荐的有效基地。",
            "The active bases of the host, or those in the recommender's charge.",
        ),
        headers=(replace(PARTY, optional=True, choices=PARTY.choices[:2]),),
    ),
    _topic("start_annual_reports", "逐个启动年度报告", "Start the annual reports", "cycle", "started"),
    _topic("collect_reports", "汇总报送情况", "Sum up the reports", "cycle", "reportSummary"),
    _topic("start_assessments", "逐个启动年度考核", "Start the assessments", "cycle", "started"),
    _topic(
        "record_annual_report",
        "登记年度报告",
        "Record an annual report",
        "base year annualPlan? annualSummary? reportOpinion?",
        headers=_status(
            ("accepted", "已接收", "Accepted"), ("overdue", "逾期", "Overdue"), ("late", "逾期补报", "Late")
        ),
    ),
    _topic("lookup_annual_facts", "读取历年情况", "Look up earlier years", "base year", "annualFacts"),
    _topic("record_annual_result", "登记年度考核结果", "Record a yearly result", "base year grade result reason?"),
    _topic("share_result", "报送专项管理", "Share the result", "base year grade"),
    _topic("record_commendation", "登记表彰", "Record a commendation", "base year reason document?"),
    _topic("record_notice", "登记通报", "Record a reprimand", "base year document?", "notice"),
    _topic("lift_notice", "解除被通报状态", "Lift a reprimand", "base passedYear? liftedOn?"),
    _topic(
        "record_violation",
        "登记违规线索",
        "Record a violation",
        "base finding seriousness?",
        headers=_status(
            ("minor", "情节轻微", "Minor"),
            ("not_under_notice", "未被通报", "Not under notice"),
            ("not_revoked", "不取消资格", "Not revoked"),
            ("revoked", "取消资格", "Revoked"),
            key="outcome",
            zh="处理结果",
            en="Outcome",
        ),
    ),
    _topic("revoke_base", "取消资格", "Revoke a base", "base document reason decidedOn?"),
    _topic("start_ban", "登记禁申期", "Enter a ban", "applicant base ban document?"),
    _topic("release_ban", "解除禁申期", "Release from a ban", "applicant base?"),
    _topic("list_special_projects", "列出专项项目", "List special projects", "parties?", "specialProjects"),
    _topic("record_matching", "登记经费匹配", "Record matching funds", "projectNumber matching", "matchingTotals"),
    _topic(
        "record_talent",
        "登记人才提名",
        "Record a nomination",
        "base nomination detail?",
        headers=_status(
            ("nominated", "已提名", "Nominated"),
            ("supported", "获支持", "Supported"),
            ("declined", "未支持", "Declined"),
        ),
    ),
    _topic("update_base", "变更登记", "Change an entry", "base changeRequest effectiveOn?"),
    _topic("end_base", "退出登记", "Let a base exit", "base reason? endedOn? banYears?"),
    _topic(
        "record_coordination",
        "登记协调事项",
        "Record a coordination",
        "base? issue action?",
        headers=_status(
            ("regional", "地区", "Regional"), ("national", "全国", "National"), key="level", zh="层级", en="Level"
        ),
    ),
    _topic(
        "record_alliance",
        "登记联盟成员",
        "Record an alliance member",
        "base detail?",
        headers=_status(("member", "成员", "Member"), ("declined", "婉拒", "Declined")),
    ),
)

KNOWN = frozenset(topic.type for topic in TOPICS)
GIVEN_TO_CASES = ("caseNumber", "parties", "profile")
"""What every case holds from its start."""
GIVEN_TO_TEMPLATES = ("documentNumber", "documentTitle", "issuers", "issuedOn", "mark", "signers")
"""What a document template gets from its service task, beside the variables of the case."""
WRITES = {topic.type: topic.writes for topic in TOPICS}


def catalogue() -> list[dict[str, Any]]:
    """The list as JSON for the editors."""
    return [asdict(topic) for topic in TOPICS]
