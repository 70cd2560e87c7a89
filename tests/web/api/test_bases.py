from __future__ import annotations

from datetime import date

import pytest

from service.commands.bases import register
from service.models import Organisation

from .conftest import Api, fields, pages, problem


@pytest.fixture
def bases(api: Api) -> list[int]:
    """Three bases of one host, one of them of another type."""
    api.office.people.organisation("sd", kind="provincial_department", name="虚构省科技厅", region="山东")
    made = []
    with api.office.database.transaction() as session:
        named = {one.code: one for one in session.query(Organisation)}
        for number, type_ in enumerate(("DB", "DB", "TT")):
            base = register.register_base(
                session,
                type=type_,
                name=f"虚构基地{number}",
                host=named["uni"],
                recommender=named["sd"],
                relation="territory",
                fields=["health"],
                region="山东",
                decided_on=date(2024 + number, 5, 6),
                summary="内部说明",
            )
            made.append(base.id)
    return made


def test_bases_are_listed_page_by_page(api: Api, bases: list[int]):
    found = pages(api.as_("wang"), "/bases", limit=2)
    assert [[one["number"] for one in page] for page in found] == [["DB2024001", "DB2025001"], ["TT2026001"]]
    assert api.as_("wang").get("/bases?limit=1").get_json()["total"] == 3


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("type=TT", ["TT2026001"]),
        ("year=2025", ["DB2025001"]),
        ("text=基地0", ["DB2024001"]),
        ("field=energy", []),
        ("status=revoked", []),
        ("status=any&sort=-accredited_on", ["TT2026001", "DB2025001", "DB2024001"]),
    ],
)
def test_bases_are_filtered_and_sorted(api: Api, bases: list[int], query: str, numbers: list[str]):
    assert [one["number"] for one in api.as_("li").get(f"/bases?{query}").get_json()["items"]] == numbers


@pytest.mark.parametrize(
    ("query", "field"), [("year=0", "year"), ("year=now", "year"), ("status=x", "status"), ("sort=id", "sort")]
)
def test_a_list_that_cannot_be_is_refused(api: Api, query: str, field: str):
    assert fields(problem(api.as_("li").get(f"/bases?{query}"), 422)) == [field]


def test_a_base_s_file_is_for_those_it_concerns(api: Api, bases: list[int]):
    api.office.people.user("other", "applicant.drafter@other")
    for person in ("wang", "li"):
        seen = api.as_(person).get(f"/bases/{bases[0]}").get_json()
        assert seen["file"]["summary"] == "内部说明"
        assert [one["code"] for one in seen["file"]["recommenders"]] == ["sd"]
        assert seen["file"]["accreditations"][0]["decided_on"] == "2024-05-06"
    public = api.as_("other").get(f"/bases/{bases[0]}").get_json()
    assert (public["number"], public["file"]) == ("DB2024001", None)
    assert "内部说明" not in str(public)
    assert [one["kind"] for one in public["history"]] == ["accredited"]


def test_another_authority_s_register_is_not_there(api: Api, bases: list[int]):
    api.office.people.user("foreign", "coop.intake", authority="sd-local")
    assert api.as_("foreign").get("/bases").get_json()["items"] == []
    problem(api.as_("foreign").get(f"/bases/{bases[0]}"), 404)
