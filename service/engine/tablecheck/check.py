"""The remarks on one decision table: gaps, overlaps, rows that never count, and cells nobody can judge beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from .. import isolate
from ..model import Severity
from .axes import Axis, Beyond, Cell, value_of
from .boxes import Box, TooLarge, left_by, meet

COMPLETE = {"UNIQUE", "ANY", "FIRST", "PRIORITY"}
"""Hit policies under which a table is meant to have a row for everything."""
SHOWN = 4
MOST_PAIRS = 200_000
SCRIPT = "feel"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a process owner should know of a table, at a table, column, row or cell."""

    element_id: str
    rule: str
    severity: Severity
    zh: str
    en: str


def check(decision_id: str, name: str, table: Mapping[str, Any]) -> list[Remark]:
    """Everything to say about a table. ``table`` is as ``decisions`` reads it."""
    if not table["rules"] or any(len(rule["inputs"]) != len(table["inputs"]) for rule in table["rules"]):
        return []
    return _Table(decision_id, name, table).remarks()


class _Table:
    """One table, cut into pieces."""

    def __init__(self, decision_id: str, name: str, table: Mapping[str, Any]) -> None:
        self.id, self.name, self.table = decision_id, name, table
        self.rules: Sequence[Mapping[str, Any]] = table["rules"]
        self.columns: Sequence[Mapping[str, Any]] = table["inputs"]
        texts = [column["values"] or "-" for column in self.columns]
        texts += [cell["text"] or "-" for rule in self.rules for cell in rule["inputs"]]
        found: list[Cell] = isolate.call(SCRIPT, "cells", {"texts": texts}, seconds=isolate.MOST_SECONDS)
        width = len(self.columns)
        allowed = [cell if column["values"] else None for column, cell in zip(self.columns, found, strict=False)]
        self.cells = [found[width * (n + 1) : width * (n + 2)] for n in range(len(self.rules))]
        self.unjudged: list[tuple[int, int]] = []
        # The same question asked in two columns has one answer.
        self.asked = list(dict.fromkeys(column["text"] for column in self.columns))
        self.axes = [self._axis(text, allowed) for text in self.asked]
        self.room: Box = tuple(axis.domain for axis in self.axes)
        # What a row surely lets through, and what it may let through.
        self.sure: list[Box | None] = []
        self.most: list[Box] = []
        for row in range(len(self.rules)):
            self._judge(row)

    def _axis(self, text: str, allowed: Sequence[Cell]) -> Axis:
        own = [n for n, column in enumerate(self.columns) if column["text"] == text]
        cells = [row[n] for row in self.cells for n in own if self._cuttable(row[n])]
        limit = next((allowed[n] for n in own if allowed[n] is not None and self._cuttable(allowed[n])), None)
        column = self.columns[own[0]]
        return Axis(column["label"] or text, column["type"], limit, cells)

    def _cuttable(self, cell: Cell) -> bool:
        try:
            for part in cell["parts"] if cell else ():
                for key in ("low", "high", "equal"):
                    if key in part:
                        value_of(part[key])
        except Beyond:
            return False
        return cell is not None

    def _judge(self, row: int) -> None:
        masks, known = list(self.room), True
        for at, cell in enumerate(self.cells[row]):
            axis = self.asked.index(self.columns[at]["text"])
            try:
                if cell is None:
                    raise Beyond
                masks[axis] &= self.axes[axis].mask(cell)
            except Beyond:
                known = False
                self.unjudged.append((row, at))
        self.most.append(tuple(masks))
        self.sure.append(tuple(masks) if known else None)

    # -- what to say ---------------------------------------------------------------------------

    def remarks(self) -> list[Remark]:
        found = [*self._impossible()]
        policy = self.table["policy"]
        try:
            if policy in COMPLETE and not any(output.get("default") for output in self.table["outputs"]):
                found += self._gaps()
            if policy in ("UNIQUE", "ANY"):
                found += self._overlaps(policy)
            if policy in ("FIRST", "PRIORITY"):
                found += self._covered(policy)
        except TooLarge:
            found.append(self._open("表太大，未能查完所有组合", "the table is too large to look at every combination"))
        if self.unjudged:
            cells = [(row + 1, at + 1) for row, at in self.unjudged]
            zh = "、".join(f"第 {row} 行第 {at} 列" for row, at in cells[:6]) + ("等" if len(cells) > 6 else "")
            en = ", ".join(f"row {row} column {at}" for row, at in cells[:6]) + (" …" if len(cells) > 6 else "")
            row, at = self.unjudged[0]
            found.append(
                self._open(
                    f"{zh}用到变量或函数，运行前无法判断",
                    f"{en} depend on variables or functions",
                    self.rules[row]["inputs"][at]["id"],
                )
            )
        return found

    def _open(self, zh: str, en: str, element_id: str | None = None) -> Remark:
        return Remark(
            element_id or self.id,
            "dmn-open",
            "info",
            f"决策表“{self.name}”：{zh}，空档和重叠的检查不包括它们。",
            f"Table “{self.name}”: {en}, which the check for gaps and overlaps leaves out.",
        )

    def _impossible(self) -> list[Remark]:
        found = []
        for row, box in enumerate(self.most):
            if all(box):
                continue
            at = next(
                (n for n, column in enumerate(self.columns) if not box[self.asked.index(column["text"])]),
                0,
            )
            found.append(
                Remark(
                    self.rules[row]["inputs"][at]["id"],
                    "dmn-unreachable",
                    "warning",
                    f"决策表“{self.name}”第 {row + 1} 行永远不会命中：“{self.columns[at]['label']}”取不到这样的值。",
                    f"Row {row + 1} of “{self.name}” never hits: “{self.columns[at]['label']}” has no such value.",
                )
            )
        return found

    def _gaps(self) -> list[Remark]:
        # A cell that nobody can judge may let everything through: what is then still open is open for certain.
        holes = left_by(self.room, self.most)
        unnamed = [hole for hole in holes if self._unnamed(hole)]
        thin = [hole for hole in holes if hole not in unnamed and self._thin(hole)]
        plain = [hole for hole in holes if hole not in unnamed and hole not in thin]
        found = []
        if plain:
            found.append(self._gap(plain, "warning", "没有任何一行", "no row"))
        if thin:
            found.append(self._gap(thin, "info", "相邻整数之间的小数没有任何一行", "fractions have no row"))
        if unnamed and not plain:
            found.append(self._gap(unnamed, "info", "没有列出的值没有任何一行", "values not listed have no row"))
        return found

    def _unnamed(self, hole: Box) -> bool:
        return any(self.axes[at].unnamed(mask) for at, mask in enumerate(hole) if mask != self.room[at])

    def _thin(self, hole: Box) -> bool:
        return any(self.axes[at].thin(mask) for at, mask in enumerate(hole) if mask != self.room[at])

    def _gap(self, holes: Sequence[Box], severity: Severity, zh: str, en: str) -> Remark:
        named = [self._words(hole) for hole in holes[:SHOWN]]
        more_zh = f"；等 {len(holes)} 处" if len(holes) > SHOWN else ""
        more_en = f"; {len(holes)} in all" if len(holes) > SHOWN else ""
        return Remark(
            self._column_of(holes),
            "dmn-gap",
            severity,
            f"决策表“{self.name}”有空档，{zh}：{'；'.join(z for z, _ in named)}{more_zh}。",
            f"Table “{self.name}” has a gap, {en} for {'; '.join(e for _, e in named)}{more_en}.",
        )

    def _column_of(self, holes: Sequence[Box]) -> str:
        """The column that alone makes the gap, or else the table."""
        bound = {at for hole in holes for at, mask in enumerate(hole) if mask != self.room[at]}
        if len(bound) != 1:
            return self.id
        text = self.asked[bound.pop()]
        return str(next(column["id"] for column in self.columns if column["text"] == text))

    def _words(self, box: Box) -> tuple[str, str]:
        zh, en = [], []
        for at, mask in enumerate(box):
            if mask != self.room[at]:
                axis = self.axes[at]
                mine = axis.words(mask)
                zh.append(f"{axis.label} {mine[0]}")
                en.append(f"{axis.label} {mine[1]}")
        return "，".join(zh) or "任何输入", ", ".join(en) or "any input"

    def _overlaps(self, policy: str) -> list[Remark]:
        found: list[Remark] = []
        known = [(row, box) for row, box in enumerate(self.sure) if box is not None and all(box)]
        if len(known) * (len(known) - 1) // 2 > MOST_PAIRS:
            raise TooLarge
        for (first, one), (second, other) in combinations(known, 2):
            shared = meet(one, other)
            if shared is None or (policy == "ANY" and self._outputs(first) == self._outputs(second)):
                continue
            zh, en = self._words(shared)
            found.append(
                Remark(
                    self._overlapping_cell(second, shared),
                    "dmn-overlap",
                    "warning",
                    f"决策表“{self.name}”第 {first + 1} 行和第 {second + 1} 行会同时命中：{zh}。",
                    f"Rows {first + 1} and {second + 1} of “{self.name}” both hit for {en}.",
                )
            )
            if len(found) >= 20:
                break
        return found

    def _overlapping_cell(self, row: int, shared: Box) -> str:
        for at, column in enumerate(self.columns):
            axis = self.asked.index(column["text"])
            if shared[axis] != self.room[axis]:
                return str(self.rules[row]["inputs"][at]["id"])
        return str(self.rules[row]["id"])

    def _covered(self, policy: str) -> list[Remark]:
        found = []
        for row, box in enumerate(self.most):
            if not all(box):
                continue
            before = [other for at in self._before(row, policy) if (other := self.sure[at]) is not None and all(other)]
            if before and not left_by(box, before):
                found.append(
                    Remark(
                        self.rules[row]["id"],
                        "dmn-unreachable",
                        "warning",
                        f"决策表“{self.name}”第 {row + 1} 行永远轮不到：前面的行已覆盖它的全部情形。",
                        f"Row {row + 1} of “{self.name}” never counts: rows before it cover all it says.",
                    )
                )
        return found

    def _before(self, row: int, policy: str) -> list[int]:
        """The rows that win over a row."""
        if policy == "FIRST":
            return list(range(row))
        order = self._order()
        mine = order.get(self._outputs(row)[0])
        if mine is None:
            return []
        return [at for at in range(len(self.rules)) if order.get(self._outputs(at)[0], mine) < mine]

    def _order(self) -> dict[str, int]:
        values = self.table["outputs"][0]["values"] or ""
        return {text.strip(): place for place, text in enumerate(values.split(","))}

    def _outputs(self, row: int) -> list[str]:
        return [cell["text"] for cell in self.rules[row]["outputs"]]
