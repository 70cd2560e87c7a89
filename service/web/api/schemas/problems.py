"""What is wrong: problem documents and the findings of a validation."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    ConfigDict,
    Field,
)

from .values import Document, Moment


class FieldProblem(Document):
    """What is wrong with one field, in both languages. `variables.x` is the value `x` of a form."""

    field: str
    zh: str
    en: str


class Finding(Document):
    """Something the validation found in a file of a bundle. An `error` refuses the deployment."""

    file: str
    element_id: str | None
    rule: str
    severity: Literal["error", "warning", "info"]
    zh: str
    en: str
    line: int | None

    @classmethod
    def of(cls, row: Any) -> Finding:
        """The finding of the engine."""
        return cls(
            file=row.file,
            element_id=row.element_id,
            rule=row.rule,
            severity=row.severity,
            zh=row.zh,
            en=row.en,
            line=row.line,
        )


class Problem(Document):
    """RFC 9457. `detail` speaks the language of Accept-Language; `zh` and `en` are always there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:guohe:problem:task_over",
                    "title": "任务已办结或撤销",
                    "status": 409,
                    "detail": "此任务已由李明于 2026-03-02 09:00 办结。",
                    "instance": "/api/v1/tasks/7/complete",
                    "code": "task_over",
                    "zh": "此任务已由李明于 2026-03-02 09:00 办结。",
                    "en": "This task is no longer open: 李明 completed it at 2026-03-02 09:00.",
                    "who": "李明",
                    "when": "2026-03-02T09:00:00.000+08:00",
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    zh: str
    en: str
    errors: list[FieldProblem] | None = Field(default=None, min_length=1, description="The fields to correct.")
    findings: list[Finding] | None = Field(default=None, description="What is wrong with a rejected bundle.")
    who: str | None = Field(default=None, description="Who was first, or holds what is in the way.")
    when: Moment | None = Field(default=None, description="Since when.")
    given: int | str | None = Field(default=None, description="The version the caller worked from.")
    current: int | None = Field(default=None, description="The version it is now.")
    number: str | None = Field(default=None, description="Under this number the operators find an unexpected error.")
