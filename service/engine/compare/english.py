"""Files of English: texts that were translated, retranslated, or lost their English."""

from __future__ import annotations

from collections.abc import Mapping

from service import english

from .changes import Comparison

MOST = 20


def compare(made: Comparison, old: Mapping[str, bytes], new: Mapping[str, bytes]) -> None:
    """Compare the files of English, text by text; many of a file are counted."""
    for path in sorted(path for path in set(old) | set(new) if english.is_file(path)):
        if old.get(path) != new.get(path):
            _file(made, path, old.get(path, b"{}"), new.get(path, b"{}"))


def _file(made: Comparison, path: str, old: bytes, new: bytes) -> None:
    try:
        before, after = english.read(old), english.read(new)
    except english.Unreadable as bad:
        made.add(path, None, "changed", f"{path}：{bad.zh}", f"{path}: {bad.en}")
        return
    found = [
        (text, before.get(text, ""), after.get(text, ""))
        for text in dict.fromkeys([*after, *before])
        if before.get(text, "") != after.get(text, "")
    ]
    for text, was, now in found[:MOST]:
        shown = " ".join(text.split())[:60]
        if not was:
            made.add(path, None, "added", f"“{shown}”的英文：{now}", f"English of “{shown}”: {now}")
        elif not now:
            made.add(path, None, "removed", f"“{shown}”不再有英文：{was}", f"No more English of “{shown}”: {was}")
        else:
            made.add(path, None, "changed", f"“{shown}”的英文：{was} → {now}", f"English of “{shown}”: {was} → {now}")
    if len(found) > MOST:
        more = len(found) - MOST
        made.add(path, None, "changed", f"另有 {more} 条英文改动", f"{more} more changes of English")
    if not found:
        made.add(path, None, "layout", "英文只有排序上的变化", "The English differs only in its order")
