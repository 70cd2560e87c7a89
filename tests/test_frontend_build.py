"""The front end builds from the lock file alone, once, and never takes a live file away."""

import json
import re
import shutil
import time
from pathlib import Path

import pytest

from service import frontend


@pytest.fixture
def root(tmp_path):
    """A small project with the installed packages of this one."""
    frontend.build()
    for name in frontend.LOCKED:
        shutil.copy(frontend.ROOT / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(frontend.ROOT / "node_modules")
    island = tmp_path / frontend.ISLANDS / "form"
    island.mkdir(parents=True)
    (island / "index.ts").write_text(
        'import "bpmn-js/dist/assets/bpmn-font/css/bpmn.css";\n'
        'import { greet } from "../shared";\ndocument.title = greet("表单");\n'
        'import("../shared").then((it) => it.greet("later"));\n'
    )
    (tmp_path / frontend.ISLANDS / "shared.ts").write_text("export const greet = (who: string) => `Hello ${who}`;\n")
    scripts = tmp_path / frontend.SCRIPTS
    scripts.mkdir(parents=True)
    (scripts / "sum.ts").write_text("export const sum = (a: number, b: number): number => a + b;\n")
    return tmp_path


def build(root) -> bool:
    return frontend.build(root, say=lambda text: None)


def test_an_island_gets_hashed_script_style_and_font_files(root):
    assert build(root)
    names = frontend.manifest(root)
    assert set(names) == {"form.js", "form.css"}
    assert re.fullmatch(r"form-[A-Z0-9]{8}\.js", names["form.js"])
    dist = root / frontend.STATIC
    assert "表单" in (dist / names["form.js"]).read_text() + "".join(p.read_text() for p in dist.glob("chunk-*.js"))
    fonts = re.findall(r'url\("?\./(bpmn-[A-Z0-9]+\.woff2)', (dist / names["form.css"]).read_text())
    assert fonts
    assert (dist / fonts[0]).is_file()


def test_a_script_for_v8_evaluates_without_a_browser(root):
    from py_mini_racer import MiniRacer

    build(root)
    with MiniRacer() as isolate:
        isolate.eval((root / frontend.ENGINE / "sum.js").read_text())
        assert isolate.eval("guohe.sum(19, 23)") == 42


def test_unchanged_sources_are_not_built_again(root):
    build(root)
    began = time.perf_counter()
    assert not build(root)
    assert time.perf_counter() - began < 0.3


def test_a_changed_source_gets_a_new_name_while_the_last_one_stays(root):
    build(root)
    before = frontend.manifest(root)["form.css"], frontend.manifest(root)["form.js"]
    (root / frontend.ISLANDS / "form" / "index.ts").write_text('document.title = "new";\n')
    assert build(root)
    names = frontend.manifest(root)
    assert set(names) == {"form.js"}
    assert names["form.js"] != before[1]
    assert all((root / frontend.STATIC / name).is_file() for name in before)
    (root / frontend.ISLANDS / "form" / "index.ts").write_text('document.title = "newer";\n')
    build(root)
    assert not any((root / frontend.STATIC / name).exists() for name in before)


def test_a_broken_source_leaves_the_live_files_alone(root, capsys):
    build(root)
    live = frontend.manifest(root)
    (root / frontend.ISLANDS / "form" / "index.ts").write_text("const = ;")
    with pytest.raises(frontend.BuildFailed, match="esbuild refused"):
        build(root)
    assert frontend.manifest(root) == live
    assert all((root / frontend.STATIC / name).is_file() for name in live.values())


def test_an_unreachable_registry_is_one_sentence(tmp_path, monkeypatch):
    for name in frontend.LOCKED:
        shutil.copy(frontend.ROOT / name, tmp_path / name)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(frontend.BuildFailed) as caught:
        build(tmp_path)
    assert "cannot be reached (ECONNREFUSED)" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_lock_names_no_registry_and_every_package_has_a_checksum():
    lock = json.loads((frontend.ROOT / "package-lock.json").read_text())
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert not [path for path, entry in packages.items() if "resolved" in entry]
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())


def test_no_node_but_that_of_the_wheel_is_asked_for(root, monkeypatch):
    empty = root / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    assert build(root)


def test_inputs_are_paths_inside_the_project():
    assert all(not Path(folder).is_absolute() for folder in (frontend.ISLANDS, frontend.SCRIPTS))
