"""A whole case by keyboard alone: from signing in to its end, nothing but keys, and the focus is seen at every stop."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Browser, Locator, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models import Instance, Membership, User
from service.models.register import Base, RecommenderLink
from tests.browser.conftest import Site, Visitor
from tests.browser.ministry import ministry

__all__ = ["ministry"]

MOST_STOPS = 150
SEEN = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return "nothing is focused";
  const looks = [one, one.closest("label, .fjs-input-group, .gh-files, li, tr, td, form") || one];
  const visible = looks.some((part) => {
    const style = getComputedStyle(part);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    return outlined || style.boxShadow !== "none";
  });
  return visible ? "" : one.outerHTML.slice(0, 160);
}"""


class Keys:
    """Somebody without a mouse."""

    def __init__(self, window: Visitor) -> None:
        self.window, self.page, self.press, self.type = (
            window,
            window.page,
            window.page.keyboard.press,
            window.page.keyboard.type,
        )

    def to(self, target: Locator) -> Keys:
        """Tab on until this has the focus; at every stop it must be seen where one is."""
        expect(target.first).to_be_visible()
        for _stop in range(MOST_STOPS):
            self.press("Tab")
            if target.first.evaluate("one => one === document.activeElement || one.contains(document.activeElement)"):
                unseen = self.page.evaluate(SEEN)
                assert unseen == "", f"the focus is not seen at {unseen}"
                return self
            if self.page.evaluate("document.activeElement !== document.body"):
                unseen = self.page.evaluate(SEEN)
                assert unseen == "", f"the focus is not seen at {unseen}"
        raise AssertionError(f"no key leads to {target}")

    def sign_in(self, username: str) -> Keys:
        """Choose a demo account by typing its name."""
        self.page.goto("/sign-in")
        self.to(self.page.locator("#find"))
        self.type(username)
        self.to(self.page.locator(".door-person:visible")).press("Enter")
        self.page.wait_for_url("**/inbox*")
        return self

    def open(self, task: str) -> Keys:
        """Find a task in the inbox of my groups, take it, and go to its form."""
        until = time.monotonic() + 20
        while True:  # what a worker does comes a moment later
            for box in ("mine", "group"):
                self.page.goto(f"/inbox?box={box}")
                if self.page.locator(f'a.main:text-is("{task}")').count():
                    self.to(self.page.locator(f'a.main:text-is("{task}")')).press("Enter")
                    self.page.wait_for_url("**/tasks/*")
                    claim = self.page.locator("button", has_text="领取此任务")
                    if claim.count():
                        self.to(claim).press("Enter")
                    self.window.ready()
                    return self
            assert time.monotonic() < until, f"no task “{task}”"
            time.sleep(0.5)

    def select(self, label: str, option: str) -> Keys:
        """Open a select, type what is meant, take it."""
        field = self.window.field(label)
        self.to(field.locator("input"))
        self.press("ArrowDown")
        expect(field.locator(".fjs-dropdownlist-item").first).to_be_visible()
        options = field.locator(".fjs-dropdownlist-item")
        for _step in range(options.count()):
            if option in (field.locator(".fjs-dropdownlist-item.focused").first.text_content() or ""):
                break
            self.press("ArrowDown")
        self.press("Enter")
        return self

    def submit(self) -> Keys:
        self.to(self.page.locator(".action-bar button.btn-primary")).press("Enter")
        self.page.wait_for_url("**/inbox*")
        return self


def test_a_base_asks_for_help_and_is_answered_by_keys_alone(chromium: Browser, ministry: Site) -> None:
    with ministry.database.transaction(readonly=True) as session:
        accounts = account_pair(session)
    windows = [Visitor(chromium, ministry), Visitor(chromium, ministry)]
    base, recommender = (Keys(window) for window in windows)

    base.sign_in(accounts["liaison"])
    base.page.goto("/start")
    base.to(base.page.get_by_role("link", name=re.compile("^发起 ?困难反映与协调"))).press("Enter")
    base.page.wait_for_url("**/start/help_request")
    codes = base.page.locator("#organisation option").evaluate_all("all => all.map(one => one.value)")
    base.to(base.page.locator("#organisation"))
    for _ in range(codes.index(accounts["host"])):
        base.press("ArrowDown")
    expect(base.page.locator("#organisation")).to_have_value(accounts["host"])
    base.to(base.page.locator("form button.btn-primary")).press("Enter")
    base.page.wait_for_url("**/cases/*")

    base.open("反映困难").select("基地", accounts["base"]).select("类别", "政策")
    base.to(base.window.field("困难与建议").locator("textarea")).type("外籍专家来华手续办理时间较长。")
    base.submit()

    recommender.sign_in(accounts["reviewer"]).open("推荐部门答复")
    recommender.to(recommender.window.field("处理").locator("input")).press("Space")
    recommender.to(recommender.window.field("答复或提请事由").locator("textarea")).type("已协调有关部门开通绿色通道。")
    recommender.submit()

    base.open("基地反馈")
    base.to(base.window.field("问题是否解决").locator("input")).press("Space")
    base.submit()

    until = time.monotonic() + 20
    while time.monotonic() < until:
        with ministry.database.transaction(readonly=True) as session:
            case = session.scalars(select(Instance).where(Instance.process_id == "help_request")).one()
            if case.status == "completed":
                break
        time.sleep(0.3)
    assert (case.status, case.end_event) == ("completed", "solved")
    for window in windows:
        window.context.close()
        assert window.unexpected() == []


def account_pair(session: Session) -> dict[str, str]:
    """A base's liaison and the reviewer of the department that recommended it."""
    for base, link in session.execute(
        select(Base, RecommenderLink).join(RecommenderLink).where(Base.status == "active").order_by(Base.number)
    ):
        found = {
            role: session.scalar(
                select(User.username)
                .join(Membership, Membership.user_id == User.id)
                .where(Membership.organisation_id == organisation, Membership.role == role)
                .limit(1)
            )
            for role, organisation in (
                ("applicant.liaison", base.host_id),
                ("recommender.reviewer", link.organisation_id),
            )
        }
        if all(found.values()):
            return {
                "liaison": found["applicant.liaison"], "reviewer": found["recommender.reviewer"], "host": base.host.code, "base": base.name,
            }  # fmt: skip
    raise AssertionError("no base has a liaison")
