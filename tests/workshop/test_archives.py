"""Zip files in and out of the workshop."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from service import errors, files
from service.commands.procedures import archives

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "processes/p/p.bpmn": "<definitions>流程</definitions>".encode(),
    "processes/p/deadlines.dmn": b"\xef\xbb\xbf<definitions/>\r\n",
    "forms/p/申报.form": b'{"id": "f"}',
    "processes/p/scenarios/easy.yaml": b"steps: []\n",
}


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
    return out.getvalue()


def test_the_folders_of_the_repository_come_back_byte_for_byte_with_their_scenarios():
    whole = files.of_project(ROOT) | files.scenarios_of_project(ROOT)
    assert any(path.endswith(".yaml") for path in whole)
    assert any(path.endswith(".docx") for path in whole)
    assert archives.unpack(archives.pack(whole)) == whole


def test_files_come_back_byte_for_byte():
    assert archives.unpack(archives.pack(FILES)) == FILES


def test_the_same_files_make_the_same_zip():
    assert archives.pack(FILES) == archives.pack(dict(reversed(FILES.items())))


def test_a_single_folder_around_everything_is_taken_off():
    packed = zipped(*((f"guohe-main/{path}", content) for path, content in FILES.items()))
    assert archives.unpack(packed) == FILES


def test_other_files_are_left_out():
    packed = zipped(
        ("forms/a.form", b"{}"), ("README.md", b"x"), ("__MACOSX/forms/._a.form", b"x"), (".git/config", b"x")
    )
    assert archives.unpack(packed) == {"forms/a.form": b"{}"}


def test_names_of_chinese_windows_are_understood():
    entry = zipfile.ZipInfo("forms/x.form")
    packed = bytearray(zipped((entry, b"{}")))
    name = "forms/申报.form".encode("gb18030")
    other = zipfile.ZipInfo("forms/" + "y" * (len(name) - 11) + ".form")
    packed = zipped((other, b"{}")).replace(other.filename.encode(), name)
    assert list(archives.unpack(packed)) == ["forms/申报.form"]


@pytest.mark.parametrize(
    "path",
    ["../../etc/x.bpmn", "/etc/x.bpmn", "a/../../x.bpmn", "C:\\x.bpmn", "a//x.bpmn", "..\\x.bpmn", "a/\x00.bpmn"],
)
def test_a_path_that_escapes_is_refused(path):
    with pytest.raises(errors.InvalidInput):
        archives.unpack(zipped((path.replace("\x00", "\x01"), b"<x/>")))


def test_a_link_is_refused():
    entry = zipfile.ZipInfo("forms/a.form")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(errors.InvalidInput, match="链接"):
        archives.unpack(zipped((entry, b"/etc/passwd")))


def test_a_bomb_is_refused_before_it_unfolds():
    with pytest.raises(errors.TooLarge):
        archives.unpack(zipped(("forms/a.form", b"0" * (archives.MAX_FILE + 1))))
    many = [(f"forms/{number}.form", b"{}") for number in range(archives.MAX_FILES + 1)]
    with pytest.raises(errors.TooLarge):
        archives.unpack(zipped(*many))


def test_many_files_that_explode_together_are_refused():
    full = b"0" * archives.MAX_FILE
    with pytest.raises(errors.TooLarge):
        archives.unpack(zipped(*((f"forms/{number}.form", full) for number in range(7))))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 nothing", b"x" * 1000, archives.pack(FILES)[:-30]])
def test_what_is_no_zip_is_refused_in_one_sentence(data):
    with pytest.raises(errors.InvalidInput, match="zip"):
        archives.unpack(data)


def test_an_encrypted_file_is_refused():
    packed = bytearray(zipped(("forms/a.form", b"{}")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(signature) + offset] |= 1
    with pytest.raises(errors.InvalidInput, match="加密"):
        archives.unpack(bytes(packed))
