"""Browser files: named by their content, kept long, sent compressed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from flask import Flask

from service import frontend
from service.web.assets import Manifest


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    frontend.build(say=lambda _line: None)


def test_files_are_kept_for_long_and_compressed(app: Flask) -> None:
    name = frontend.manifest()["style.css"]
    client = app.test_client()
    plain = client.get(f"/static/dist/{name}")
    packed = client.get(f"/static/dist/{name}", headers={"Accept-Encoding": "gzip, br"})
    assert "immutable" in plain.headers["Cache-Control"]
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) * 4 < len(plain.data)
    assert "Set-Cookie" not in plain.headers
    assert client.get("/static/dist/../../errors.py").status_code == 404


def test_the_first_page_is_small_on_the_wire(app: Flask) -> None:
    client = app.test_client()
    size = 0
    for name in ("style.css", "page.js"):
        address = f"/static/dist/{frontend.manifest()[name]}"
        size += len(client.get(address, headers={"Accept-Encoding": "gzip"}).data)
    assert size < 80_000


def test_a_newer_build_is_noticed(tmp_path: Path) -> None:
    import os

    path = tmp_path / "manifest.json"
    names = Manifest(path)
    assert names.find("style.css") == "style.css"
    path.write_text(json.dumps({"style.css": "style-A.css"}))
    assert names.find("style.css") == "style-A.css"
    path.write_text(json.dumps({"style.css": "style-B.css"}))
    os.utime(path, ns=(1, 1))
    assert names.find("style.css") == "style-B.css"
    assert names.find("other.js") == "other.js"
