"""The catalogs of translations: ``python -m service.web.catalog`` brings them up to date with the sources.

New sentences appear with an empty translation, sentences that are gone disappear, and the order never changes, so a
diff shows what was said anew. A test fails while a translation is missing or names other placeholders.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from . import i18n

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("en",)
PLACEHOLDER = re.compile(r"%\((\w+)\)\w|%(?!%)\w")


def sources(root: Path = ROOT) -> Catalog:
    """Every sentence that templates and views say."""
    with (root / "babel.cfg").open() as config:
        methods, options = parse_mapping_cfg(config)
    found = Catalog(charset="utf-8")
    for folder in ("service/web",):
        for name, _line, message, comments, context in extract_from_dir(
            root / folder,
            [(pattern.removeprefix(f"{folder}/"), method) for pattern, method in methods],
            {pattern.removeprefix(f"{folder}/"): given for pattern, given in options.items()},
        ):
            both = (message, message) if isinstance(message, str) and i18n.COUNT in message else message
            found.add(both, locations=[(f"{folder}/{name}", 0)], auto_comments=comments, context=context)
    return found


def path(language: str) -> Path:
    """Where a language's catalog is."""
    return i18n.CATALOGS / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    """A catalog as it is."""
    if not path(language).exists():
        return Catalog(locale=language, charset="utf-8")
    with path(language).open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> int:
    """Bring a catalog up to date; return how many sentences wait for a translation."""
    before, after = read(language), Catalog(locale=language, charset="utf-8", header_comment="# Guohe, English")
    for message in sorted(_messages(sources()), key=_sentence):
        known = before.get(message.id)
        said = _forms(known) if known else ()
        # Chinese has one form for any number, English two: what was said once is said of one and of many.
        after.add(message.id, (said[0], said[-1]) if said and message.pluralizable else said[0] if said else "")
    path(language).parent.mkdir(parents=True, exist_ok=True)
    with path(language).open("wb") as file:
        write_po(file, after, width=120, omit_header=True)
    return len(missing(language))


def missing(language: str) -> list[str]:
    """The sentences that have no translation yet."""
    known = read(language)
    return [
        _sentence(one)
        for one in _messages(sources())
        if (found := known.get(one.id)) is None or not all(_forms(found)) or found.pluralizable != one.pluralizable
    ]


def obsolete(language: str) -> list[str]:
    """Translations of sentences that nothing says any more."""
    said = {_sentence(one) for one in _messages(sources())}
    return [_sentence(one) for one in _messages(read(language)) if _sentence(one) not in said]


def mistaken(language: str) -> list[str]:
    """Translations whose placeholders differ from the sentence's."""
    return [
        _sentence(one)
        for one in _messages(read(language))
        if any(
            form and sorted(PLACEHOLDER.findall(form)) != sorted(PLACEHOLDER.findall(_sentence(one)))
            for form in _forms(one)
        )
    ]


def _sentence(message: Message) -> str:
    return str(message.id if isinstance(message.id, str) else message.id[0])


def _forms(message: Message) -> tuple[str, ...]:
    """The translation, of one and of many where it counts something."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def _messages(catalog: Catalog) -> list[Message]:
    return [one for one in catalog if one.id]


def main() -> int:
    """Bring all catalogs up to date."""
    for language in LANGUAGES:
        print(f"{path(language)}: {update(language)} sentences without a translation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
