"""The service-task topics as process owners see them: what each does, reads and gives.

The handlers are in ``service/handlers``; a test holds this list against them. Editors make element templates of it,
and the data contract knows from it which variables a service task writes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
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
        inputs=(APPLICANT, RECOMMENDER, BASE_TYPE),
        writes=("registerFacts",),
    ),
    Topic(
        "list_experts",
        "检索专家库",
        "List experts",
        "列出符合领域、且与申报机构无关的专家。",
        "Experts of the fields who do not work at the applicant.",
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
        writes=("expertCandidates",),
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
        headers=(Field("section", "栏目", "Section"),),
        inputs=(
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

KNOWN = frozenset(topic.type for topic in TOPICS)
WRITES = {topic.type: topic.writes for topic in TOPICS}


def catalogue() -> list[dict[str, Any]]:
    """The list as JSON for the editors."""
    return [asdict(topic) for topic in TOPICS]
