"""Word templates: paragraphs and placeholders that came, went or changed."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher

from .. import templates
from .changes import Comparison

MOST = 20


def compare(made: Comparison, old: Mapping[str, bytes], new: Mapping[str, bytes]) -> None:
    """Compare the templates that are in both."""
    for path in sorted(path for path in set(old) & set(new) if path.endswith(".docx")):
        if old[path] != new[path]:
            _template(made, path, old[path], new[path])


def _template(made: Comparison, path: str, old: bytes, new: bytes) -> None:
    name = path.rpartition("/")[2]
    try:
        before, after = templates.paragraphs(old), templates.paragraphs(new)
    except templates.TemplateProblem as problem:
        made.add(path, None, "changed", f"模板“{name}”：{problem.zh}", f"Template “{name}”: {problem.en}")
        return
    if before == after:
        made.add(path, None, "layout", f"模板“{name}”只有版式上的变化", f"The template “{name}” differs only in layout")
        return
    said = 0
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal" or said >= MOST:
            continue
        gone, came = " ".join(before[i:j]), " ".join(after[k:m])
        said += 1
        if tag == "insert":
            made.add(path, None, "added", f"模板“{name}”新增：{_cut(came)}", f"Template “{name}”: new: {_cut(came)}")
        elif tag == "delete":
            made.add(
                path, None, "removed", f"模板“{name}”删去：{_cut(gone)}", f"Template “{name}”: removed: {_cut(gone)}"
            )
        else:
            made.add(
                path,
                None,
                "changed",
                f"模板“{name}”：{_cut(gone)} → {_cut(came)}",
                f"Template “{name}”: {_cut(gone)} → {_cut(came)}",
            )


def _cut(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:99]}…"
