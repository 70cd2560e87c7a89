"""Returning a form: which fields a reviewer names, what may then be changed, and what was changed. Pure."""

from .changes import Change, Part, changes, in_words
from .fields import FormField, Remark, fields, find, remarks
from .narrowing import narrow

__all__ = ["Change", "FormField", "Part", "Remark", "changes", "fields", "find", "in_words", "narrow", "remarks"]
