"""Write the Word templates of official documents: ``python processes/templates.py``.

A template is a bundle file like a diagram: process owners may change the .docx itself in Word. This script made the
first ones and makes them again, byte for byte. Placeholders are docxtpl's (``{{ applicant.name }}``); a template sees
the variables of the case, what the service task maps to ``documentData``, and ``documentNumber``, ``documentTitle``,
``issuers`` (names), ``issuedOn``, ``signers`` (who did a step and when) and ``mark`` (says so where the data are a
demonstration). The filter ``day`` writes a date the Chinese way.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from docx import Document
from docx.document import Document as Opened
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.text.paragraph import Paragraph

ROOT = Path(__file__).resolve().parent
RED = RGBColor(0xC0, 0x00, 0x00)
BODY, HEADING = "FangSong", "SimHei"


def accredited(type_name: str, article: str, way: str) -> list[str]:
    """The text of an accreditation by the article of its type."""
    return [
        "{{ applicant.name }}：",
        f"根据《国家国际科技合作基地管理办法》{article}，{way}，依据认定标准并参考专家意见和考核情况进行综合评价，"
        f"现认定“{{{{ application.baseName }}}}”（依托单位：{{{{ applicant.name }}}}）为{type_name}，并予授牌。",
        "被认定单位与其主管部门的隶属关系不变。请按照实施方案做好基地的建设与运行，按时报送年度工作计划和年度工作总结，"
        "接受科技部与推荐部门的指导、评价和考核。",
    ]


PARK = accredited("国际创新园", "第五条", "经列入年度部省会商议题并由省级人民政府提出申请")
CENTRE = accredited("国际联合研究中心", "第六条", "经{{ recommender.name }}推荐")
TRANSFER = accredited(
    "国际技术转移中心", "第七条", "经所在国家高新区支持、{{ recommender.name }}推荐，综合考虑有关因素择优选择"
)
MODEL = accredited(
    "示范型国际科技合作基地", "第八条", "经{{ recommender.name }}推荐，综合考虑全国整体布局和单位具体情况"
)

NOTICE = [
    "{{ applicant.name }}：",
    "根据《国家国际科技合作基地管理办法》第十三条，"
    "“{{ base.name }}”（编号 {{ base.number }}）截至 {{ year }} 年度连续三年考核不合格，现予通报。",
    "{{ text }}",
]
REVOCATION = [
    "{{ applicant.name }}：",
    "“{{ base.name }}”（编号 {{ base.number }}）系被通报基地，经查出现严重违纪违规行为。"
    "根据《国家国际科技合作基地管理办法》第十三条，决定取消其国家国际科技合作基地资格。",
    "理由：{{ reason }}",
    "被取消资格的单位，三年内不得再次申请国合基地的资格认定。",
]
COMMENDATION = [
    "{{ applicant.name }}：",
    "“{{ base.name }}”（编号 {{ base.number }}）在 {{ year }} 年度跟踪评价和考核中合作成效显著、发展迅速、"
    "具有突出示范作用。根据《国家国际科技合作基地管理办法》第十三条，决定予以表彰。",
    "{{ reason }}",
]

LETTERS = {
    "issue_accreditation/templates/accreditation_IP.docx": (PARK, ("sign_document",)),
    "issue_accreditation/templates/accreditation_JC.docx": (CENTRE, ("sign_document",)),
    "issue_accreditation/templates/accreditation_TT.docx": (TRANSFER, ("sign_coop", "sign_torch")),
    "issue_accreditation/templates/accreditation_DB.docx": (MODEL, ("sign_document",)),
    "reprimand/templates/notice.docx": (NOTICE, ("sign_notice",)),
    "sanction/templates/revocation.docx": (REVOCATION, ("decide_revocation",)),
    "yearly_assessment/templates/commendation.docx": (COMMENDATION, ("decide_commendation",)),
}
"""Template -> its paragraphs and the steps by which each organisation that issues it signs."""


def main() -> None:
    """Write every template into the folder of the process that issues it."""
    for name, (paragraphs, signatures) in LETTERS.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_same_bytes(letter(paragraphs, signatures)))


def letter(paragraphs: Sequence[str], signatures: Sequence[str]) -> bytes:
    """An official letter: red head with the issuers, number, title, text, who issued it and who signed it when."""
    document = Document()
    _page(document)
    for place in range(len(signatures)):
        _line(document, f"{{{{ issuers[{place}] }}}}", HEADING, 30, center=True, colour=RED, bold=True)
    _rule(_line(document, "{{ documentNumber }}", BODY, 16, center=True))
    _line(document, "", BODY, 8)
    _line(document, "{{ documentTitle }}", HEADING, 20, center=True, bold=True)
    _line(document, "", BODY, 8)
    for place, text in enumerate(paragraphs):
        _line(document, text, BODY, 16, indent=place > 0)
    _line(document, "", BODY, 16)
    for place in range(len(signatures)):
        _line(document, f"{{{{ issuers[{place}] }}}}", BODY, 16, right=True)
    _line(document, "{{ issuedOn }}", BODY, 16, right=True)
    _line(document, "", BODY, 8)
    for step in signatures:
        _line(document, _signer(step), BODY, 12)
    _line(document, "{{ mark }}", BODY, 10, colour=RGBColor(0x60, 0x60, 0x60))
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def _signer(step: str) -> str:
    """Who signed and when; nothing where the case has no such step, as when the procedure is played by itself."""
    who = f"{{{{ signers.{step}.name }}}}　签发日期：{{{{ signers.{step}.on }}}}"
    return f"{{% if signers.{step} is defined %}}签发人：{who}{{% endif %}}"


def _page(document: Opened) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.top_margin, section.bottom_margin = Cm(3.7), Cm(3.5)
    section.left_margin, section.right_margin = Cm(2.8), Cm(2.6)
    properties = document.core_properties
    properties.author, properties.title = "国合基地管理系统", "公文模板"


def _line(
    document: Opened,
    text: str,
    font: str,
    size: int,
    *,
    center: bool = False,
    right: bool = False,
    indent: bool = False,
    bold: bool = False,
    colour: RGBColor | None = None,
) -> Paragraph:
    paragraph = document.add_paragraph()
    if center:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    if indent:
        paragraph.paragraph_format.first_line_indent = Pt(size * 2)
    paragraph.paragraph_format.line_spacing = 1.5
    paragraph.paragraph_format.space_after = Pt(0)
    run = paragraph.add_run(text)
    run.font.size, run.font.name, run.bold = Pt(size), font, bold
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    if colour is not None:
        run.font.color.rgb = colour
    return paragraph


def _rule(paragraph: Paragraph) -> None:
    """The red line under the number."""
    borders = OxmlElement("w:pBdr")
    bottom = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "12"), ("space", "6"), ("color", "C00000")):
        bottom.set(qn(f"w:{name}"), value)
    borders.append(bottom)
    paragraph._p.get_or_add_pPr().append(borders)


def _same_bytes(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return packed.getvalue()


if __name__ == "__main__":
    main()
