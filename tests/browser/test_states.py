"""States that pages reach when something is refused, missing or late: axe finds nothing, nothing typed is lost.

Each state is looked at by a desk in the light, on a phone in the dark, and with high contrast, without a new page.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import expect

from service import clock
from service.models import Export
from tests.browser.conftest import SIZES, Visitor
from tests.commands.conftest import Office
from tests.web.conftest import APPLICATION, APPLYING, OPINION

Visit = Callable[..., Visitor]
LOOKS = (("desk", "light", False), ("phone", "dark", False), ("desk", "light", True))
PDF = b"%PDF-1.7\n" + b"0" * 64


def is_fine(window: Visitor, state: str) -> None:
    """Nothing to find in any look; the page is left as it was met."""
    for size, theme, contrast in LOOKS:
        width, height = SIZES[size]
        window.page.set_viewport_size({"width": width, "height": height})
        window.page.evaluate(
            """([theme, contrast]) => {
                document.documentElement.dataset.bsTheme = theme;
                document.documentElement.toggleAttribute("data-contrast", contrast);
            }""",
            [theme, contrast],
        )
        window.page.wait_for_timeout(200)  # colours fade into one another
        assert window.axe() == [], (state, size, theme, contrast)
        assert window.overflow() <= 0, (state, size)
    window.page.evaluate("document.documentElement.removeAttribute('data-contrast')")


def test_what_is_refused_at_the_door_and_in_the_account(office: Office, visitor: Visit) -> None:
    window = visitor()
    for status in ("401", "422", "400", "429"):
        window.expect_complaint(status)
    page = window.go("/sign-in").page
    page.get_by_label("用户名").fill("li")
    page.get_by_label("密码").fill("wrong")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    expect(page.get_by_label("用户名")).to_have_value("li")
    is_fine(window, "wrong password")

    page = window.sign_in("li").go("/account").page
    page.get_by_label("现在的密码").fill("wrong")
    page.get_by_label("新密码（至少 8 个字符）").fill("short")
    page.get_by_label("再填一次新密码").fill("other")
    page.get_by_role("button", name="修改密码").click()
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    is_fine(window, "refused change of the password")

    page = window.go("/account/deputies").page
    page.get_by_label("代理人（同机构同事）").select_option(index=0)
    page.get_by_label("至（含当日）").fill((clock.today() - timedelta(days=1)).isoformat())
    page.get_by_role("button", name="确定").click()
    expect(page.locator("#last_day-error")).to_be_visible()
    is_fine(window, "refused deputy")

    page = window.sign_in("admin").go("/admin/webhooks").page
    page.get_by_label("新地址（https）").fill("https://[::1]/hook")
    page.get_by_role("button", name="添加").click()
    expect(page.locator("#url-error")).to_be_visible()
    expect(page.get_by_label("新地址（https）")).to_have_value("https://[::1]/hook")
    is_fine(window, "refused webhook")


def test_a_task_that_is_refused_late_taken_or_over(office: Office, visitor: Visit) -> None:
    office.people.user("sun", "coop.signatory", name="孙签")
    office.deploy(APPLYING, application__form=APPLICATION, opinion__form=OPINION)
    case = office.start("applying")
    wang = visitor("wang").open_task("填报申报材料")
    wang.fill("拟认定基地名称", "短").fill("发展目标", "<script>alert(1)</script>")
    wang.submit(done=False)
    expect(wang.page.locator("[data-form-problems]")).to_be_visible()
    is_fine(wang, "refused form")
    assert wang.field("发展目标").locator("textarea").input_value() == "<script>alert(1)</script>"
    wang.expect_complaint("415")
    files = wang.field("证明材料")
    files.locator("input[type=file]").set_input_files(
        [{"name": "假的.pdf", "mimeType": "application/pdf", "buffer": b"MZ"}]
    )
    expect(files.locator(".gh-files-refused")).to_contain_text("与扩展名“.pdf”不符")
    is_fine(wang, "refused file")
    wang.attach("证明材料", ("协议.docx", b"PK\x03\x04" + b"0" * 50))
    wang.fill("拟认定基地名称", "某某示范基地").submit()

    sun = visitor("sun").go(f"/tasks/{office.open(case)['check']}")
    expect(sun.page.get_by_role("button", name="催办")).to_be_visible()
    is_fine(sun, "overdue task of the office")
    sun.page.get_by_role("button", name="催办").click()
    expect(sun.page.locator(".note-good").first).to_contain_text("已催办“审核材料”")
    sun.expect_complaint("409")
    sun.page.get_by_role("button", name="催办").click()
    expect(sun.page.locator("h1")).to_be_visible()
    is_fine(sun, "refused by a conflict")

    li = visitor("li").go("/notifications")
    is_fine(li, "unread notices")
    li.go("/inbox?box=group")
    li.page.locator("a.main", has_text="审核材料").click()
    li.page.get_by_role("button", name="领取此任务").click()
    li.ready()
    li.page.locator("summary", has_text="搁置或调整优先级").click()
    is_fine(li, "arranging a task")
    zhao = visitor("zhao").go(f"/tasks/{office.open(case)['check']}")
    is_fine(zhao, "task of somebody else")
    li.fill("审核意见", "同意").submit()
    is_fine(li, "handed in")
    zhao.page.reload()
    is_fine(zhao, "task that is over")

    zhao.expect_complaint("422")  # where there is a LibreOffice it can make nothing of this one
    zhao.go(f"/cases/{case}").page.locator(".files a", has_text="协议.docx").first.click()
    expect(zhao.page.locator("h1")).to_contain_text("协议.docx")
    zhao.page.wait_for_load_state("networkidle")
    is_fine(zhao, "file that cannot be shown")


def test_exports_on_their_way_and_broken(office: Office, visitor: Visit) -> None:
    now = clock.now()
    facts = {"authority_id": office.li.authority_id, "user_id": office.li.id, "name": "inbox", "form": "csv"}
    facts |= {"title": "收件箱", "size": 9000, "created_at": now, "expires_at": now + timedelta(days=7)}
    with office.database.transaction() as session:
        for status, rows in (("running", 1200), ("done", 4000), ("failed", 7)):
            session.add(Export(status=status, rows=rows, file_key="none" if status == "done" else None, **facts))
    is_fine(visitor("li").go("/exports"), "exports")
