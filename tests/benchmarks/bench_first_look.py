"""What somebody waits for who opens the platform for the first time: requests and bytes, with an empty cache.

Aim: 8 requests and 120 KB until the inbox can be used.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Site, Visitor, built, chromium, office, site
from tests.commands.conftest import Office, diagram
from tests.web.conftest import task

__all__ = ["built", "chromium", "office", "site"]
CASE = diagram(
    '<startEvent id="s"/>' + task("review", "推荐审核", None, "coop.intake") + '<endEvent id="e"/>', "s -> review -> e"
)
PAGES = ("/inbox?box=group", "/start", "/cases", "/register")


@pytest.mark.bench
def test_the_first_look(chromium: Browser, office: Office, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    office.deploy(CASE)
    for _ in range(60):
        office.start()
    with capsys.disabled():
        print("\nfirst look                 requests      KB")
        for path in PAGES:
            window = Visitor(chromium, site)
            requests, size = window.first_look("li", path)
            window.context.close()
            print(f"{path:<24} {requests:>10} {size / 1024:>7.1f}")
