"""Bundles as zip files in the folder layout of the repository: out byte by byte, in with every suspicion."""

from __future__ import annotations

import io
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from service import english, errors

SUFFIXES = (".bpmn", ".dmn", ".form", ".docx", ".yaml")
IGNORED = ("__MACOSX/", ".git/", ".venv/", "node_modules/")
MAX_FILE = 10 * 1024 * 1024
MAX_TOTAL = 60 * 1024 * 1024
MAX_FILES = 1000
MAX_PATH = 200
MAX_DEPTH = 8
FOLDERS = ("processes", "forms", "templates")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(files: Mapping[str, bytes]) -> bytes:
    """Put the files into a zip. The same files always make the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[path])
    return out.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Read a zip that nobody has to trust. A single folder around everything is taken off.

    What is no file of a bundle (pictures, notes) is left out; what tries to escape or to explode is refused.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _unrooted(_read(archive))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise errors.InvalidInput(
            f"这不是可读的 zip 文件（{error}）。", f"This is no zip file that can be read ({error}).", field="file"
        ) from None


def _read(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MAX_FILES * 4:
        raise _too_large(f"超过 {MAX_FILES} 个文件", f"more than {MAX_FILES} files")
    files: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        name = _name(entry)
        if not (name.endswith(SUFFIXES) or english.is_file(name)) or any(part in name for part in IGNORED):
            continue
        path = safe_path(name)
        if entry.flag_bits & 0x1:
            raise errors.InvalidInput(f"“{path}”已加密，无法读取。", f"“{path}” is encrypted.", field="file")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise errors.InvalidInput(f"“{path}”是链接，不予接受。", f"“{path}” is a link.", field="file")
        if path in files:
            raise errors.InvalidInput(f"“{path}”出现两次。", f"“{path}” is there twice.", field="file")
        with archive.open(entry) as stream:
            # The sizes an archive states are its own claim; what comes out is counted.
            content = stream.read(min(MAX_FILE, MAX_TOTAL - total) + 1)
        total += len(content)
        if len(content) > MAX_FILE or total > MAX_TOTAL or len(files) >= MAX_FILES:
            raise _too_large(f"“{path}”或全部内容过大", f"“{path}” or all of it is too large")
        files[path] = content
    return files


def _name(entry: zipfile.ZipInfo) -> str:
    """The name as it was meant: Chinese Windows writes GBK and says nothing about it."""
    if entry.flag_bits & 0x800:
        return entry.filename
    raw = entry.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def _unrooted(files: dict[str, bytes]) -> dict[str, bytes]:
    roots = {PurePosixPath(path).parts[0] for path in files}
    nested = all(len(PurePosixPath(path).parts) > 1 for path in files)
    if len(roots) == 1 and nested and not roots & set(FOLDERS):
        return {str(PurePosixPath(*PurePosixPath(path).parts[1:])): content for path, content in files.items()}
    return files


def safe_path(path: str) -> str:
    """The path as it is kept: relative, inside, good on every system, of a kind a bundle holds. Raises InvalidInput."""
    path = unicodedata.normalize("NFC", path).replace("\\", "/")
    parts = path.split("/")
    bad = (
        not path
        or len(path) > MAX_PATH
        or len(parts) > MAX_DEPTH
        or re.search(r'[\x00-\x1f\x7f<>:"|?*]', path) is not None
        or any(part in ("", ".", "..") or part.startswith((".", "~")) or part != part.strip() for part in parts)
    )
    if bad:
        raise errors.InvalidInput(
            f"不接受这样的文件路径：“{path[:80]}”。", f"No path for a file here: “{path[:80]}”.", field="path"
        )
    if not path.endswith(SUFFIXES) and not english.is_file(path):
        raise errors.InvalidInput(
            f"“{path}”不是流程图、决策表、表单、模板、场景或英文文件（{'、'.join([*SUFFIXES, english.NAME])}）。",
            f"“{path}” is no diagram, table, form, template, scenario or file of English "
            f"({', '.join([*SUFFIXES, english.NAME])}).",
            field="path",
        )
    return path


def check_size(files: Mapping[str, bytes]) -> None:
    """Refuse what is too large to be kept and checked."""
    for path, content in files.items():
        if len(content) > MAX_FILE:
            raise _too_large(f"“{path}”过大", f"“{path}” is too large")
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_TOTAL:
        raise _too_large("文件过多或总量过大", "there are too many files or too much in them")


def _too_large(zh: str, en: str) -> errors.TooLarge:
    mb = 1024 * 1024
    return errors.TooLarge(
        f"{zh}：单个文件不超过 {MAX_FILE // mb} MB，合计不超过 {MAX_TOTAL // mb} MB、{MAX_FILES} 个文件。",
        f"Refused, {en}: {MAX_FILE // mb} MB a file, {MAX_TOTAL // mb} MB and {MAX_FILES} files in all.",
        field="file",
    )
