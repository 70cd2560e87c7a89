"""What process owners write in Chinese, in English: which texts there are, and that translating changes nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import clock, engine, english, files
from service.engine import feel
from service.engine.bundle import read_contents
from service.engine.english import written

ROOT = Path(__file__).parents[1]
FORMS = sorted((ROOT / "forms").rglob("*.form"))
NAMES = ("id", "key", "path", "type", "value", "hide", "label", "description", "text", "dataSource", "valuesExpression")


def shout(text: str) -> str:
    return f"EN<{len(text)}>"


def test_the_strings_of_an_expression_are_texts_unless_they_are_compared_or_name_a_member():
    assert english.texts_of('="第 " + string(n) + " 轮"') == ["第 ", " 轮"]
    assert english.texts_of('=if 结论 = "合格" then "通过" else "不通过"') == ["通过", "不通过"]
    assert english.texts_of('=["甲"][item = "乙"]') == ["甲"]
    assert english.texts_of('={"键": "值"}') == ["值"]
    assert english.texts_of('=if kind in ("甲", "乙") then "丙" else "丁"') == ["丙", "丁"]
    assert english.texts_of('=get value({pass: "合格"}, grade)') == ["合格"]
    assert english.texts_of('=if contains(name, "大学") then 1 else 2') == []
    assert english.texts_of("=count(items)") == []
    assert english.texts_of("拟认定基地名称") == ["拟认定基地名称"]
    assert english.texts_of("Name") == []


def test_a_translated_expression_is_the_same_expression_with_other_strings():
    said = {"合格": 'so-called "pass"', "年": "year\nof"}
    made = english.translate('=if x = "合格" then "合格" else "年" + "；" + y', lambda text: said.get(text, text))
    assert made == '=if x = "合格" then "so-called \\"pass\\"" else "year\\nof" + "; " + y'
    assert feel.evaluate(made[1:], {"x": "合格", "y": ""}, now=clock.now()) == 'so-called "pass"'
    assert feel.evaluate(made[1:], {"x": "", "y": "z"}, now=clock.now()) == "year\nof; z"


def test_what_a_table_decided_is_english_inside_a_notice():
    say = {
        "案件 ": "Case ",
        " 不予受理。理由：": " is not accepted: ",
        "登记库中不足 ": "Fewer than ",
        " 项": " projects",
        "境外机构": "Foreign",
    }
    tables = [["登记库中不足 ", " 项"], ["境外机构"]]

    def decided(data: str) -> str:
        return english.listed(data, tables, lambda text: say.get(text, text))

    told = english.made_of(
        "案件 7 不予受理。理由：登记库中不足 2 项；境外机构；手写的理由",
        [["案件 ", " 不予受理。理由："]],
        lambda text: say.get(text, text),
        decided,
    )
    assert told == "Case 7 is not accepted: Fewer than 2 projects; Foreign; 手写的理由"


def test_a_text_made_of_strings_and_data_is_found_again():
    parts = english.strings('="基地联盟" + (if base = null then "" else "：" + base.name)')
    said = {"基地联盟": "Alliance of bases"}
    say = lambda text: said.get(text, text)  # noqa: E731
    assert english.made_of("基地联盟：海洋基地", [parts], say) == "Alliance of bases: 海洋基地"
    assert english.made_of("基地联盟", [parts], say) == "Alliance of bases"
    assert english.made_of("王芳写的话", [parts], say) == "王芳写的话"


@pytest.mark.parametrize(
    ("chinese", "bad"),
    [
        ("第 {{round}} 轮", "Round"),
        ("第 {{round}} 轮", "Round {{rounds}}"),
        ("合计", "=sum(items)"),
        ('{{if a = "甲" then "是" else "否"}}', '{{if a = "A" then "yes" else "no"}}'),
    ],
)
def test_english_that_would_show_something_else_is_refused(chinese, bad):
    assert english.problem(chinese, bad) is not None


@pytest.mark.parametrize(
    ("chinese", "good"),
    [
        ("第 {{round}} 轮", "Round {{round}}"),
        ('{{if a = "甲" then "是" else "否"}}', '{{if a = "甲" then "yes" else "no"}}'),
    ],
)
def test_english_with_the_same_placeholders_is_taken(chinese, good):
    assert english.problem(chinese, good) is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "line 1"),
        (b"[]", "object"),
        ('{"甲": 1}'.encode(), "甲"),
        ('{"甲": "a", "甲": "b"}'.encode(), "甲"),
        (b"\xff", "UTF-8"),
    ],
)
def test_a_file_that_holds_no_texts_says_what_is_wrong(content, says):
    with pytest.raises(english.Unreadable) as refused:
        english.read(content)
    assert says in refused.value.en


def bones(value: Any, name: str = "") -> Any:
    """A form without its texts: what is left must not change."""
    if isinstance(value, dict):
        return {key: bones(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [bones(one, name) for one in value]
    texts = (*english.TEXTS, "prefixAdorner", "suffixAdorner", "patternErrorMessage")
    return "…" if isinstance(value, str) and name in texts else value


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_in_english_is_the_same_form(path):
    schema = json.loads(path.read_bytes())
    before = json.dumps(schema)
    made = english.form(schema, shout)
    assert bones(made) == bones(schema)
    assert json.dumps(schema) == before
    assert [text for _, text in english.texts_of_form(made)] == []
    for _, text in english.texts_of_form(schema):
        assert english.is_chinese(text)


component = st.recursive(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["", "甲", "a", '="甲" + x', '=x = "甲"', "{{甲}}"])),
    lambda inner: st.builds(
        lambda own, children, values: {**own, "components": children, "values": values},
        st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["甲", "a", '="甲" + x'])),
        st.lists(inner, max_size=3),
        st.lists(st.dictionaries(st.sampled_from(["label", "value"]), st.sampled_from(["甲", "a"])), max_size=3),
    ),
    max_leaves=8,
)


@given(component)
def test_whatever_a_form_holds_only_its_texts_are_translated(one):
    schema = {"id": "甲", "components": [one]}
    assert bones(english.form(schema, shout)) == bones(schema)


def test_every_translated_expression_of_our_forms_can_be_evaluated():
    texts = []
    for path in FORMS:
        for value in expressions(english.form(json.loads(path.read_bytes()), lambda text: f'"{text}" said')):
            texts.append(("expression", value[1:]))
    assert texts
    assert [one for one in feel.check_many(texts) if one] == []


def expressions(value: Any, name: str = "") -> list[str]:
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in expressions(inner, key)]
    if isinstance(value, list):
        return [one for inner in value for one in expressions(inner, name)]
    shown = isinstance(value, str) and name in english.TEXTS and value.startswith("=")
    return [value] if shown else []


def test_everything_our_processes_and_forms_say_is_said_in_english():
    contents = read_contents(files.of_project(ROOT))
    known = english.English({path: data for path, data in contents.files.items() if english.is_file(path)})
    silent, odd = set(), set()
    for one in written(contents):
        said = known.say(one.text, one.folder)
        if said == one.text:
            silent.add((one.folder, one.text))
        elif english.is_chinese(said):
            odd.add((one.folder, said))
    assert silent == set(), "run `guohe translate`"
    assert odd == set()


@pytest.mark.parametrize("path", sorted(ROOT.glob("processes/*/*.bpmn")), ids=lambda path: path.stem)
def test_a_diagram_in_english_does_what_it_did(path):
    data = path.read_bytes()
    made = engine.diagram_in(data, shout)
    assert "EN&lt;" in made.decode()
    assert wordless(made) == wordless(data)


def wordless(data: bytes) -> bytes:
    """A diagram without what people read in it, and without the places of its labels."""
    root = ElementTree.fromstring(data)
    for element in root.iter():
        tag = element.tag.rpartition("}")[2]
        if not tag.startswith("message") or tag == "messageFlow":
            element.attrib.pop("name", None)
        if tag in ("documentation", "text"):
            element.text = ""
        if tag == "BPMNLabel":
            element.clear()
    return ElementTree.tostring(root)
