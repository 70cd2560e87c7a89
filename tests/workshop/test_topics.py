"""The list of topics that process owners choose from is the list of handlers."""

from __future__ import annotations

import re
from pathlib import Path

from service import handlers, topics

INTERNAL = {"export", "mail", "publish", "webhook"}
"""Topics of jobs that no diagram asks for."""
README = Path(__file__).resolve().parents[2] / "processes" / "README.md"


def test_every_handler_is_listed_and_every_topic_has_a_handler():
    assert handlers.topics() - INTERNAL == topics.KNOWN


def test_what_a_topic_writes_is_what_its_contract_says():
    said = {}
    for line in README.read_text("utf-8").splitlines():
        name = re.match(r"\| `(\w+)` ", line)
        if name and name[1] in topics.KNOWN:
            said[name[1]] = re.split(r"(?<!\\)\|", line)[4]
    assert said.keys() == topics.KNOWN
    for name, outputs in said.items():
        for written in topics.WRITES[name]:
            assert re.search(rf"`{written}\b", outputs), (name, written)


def test_names_are_in_both_languages():
    for topic in topics.TOPICS:
        assert re.search(r"[\u4e00-\u9fff]", topic.zh), topic.type
        assert topic.en.isascii(), topic.type
