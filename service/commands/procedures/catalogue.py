"""What is known of data beside the files of a bundle: the services' variables, and what every case is given."""

from __future__ import annotations

from service import engine, topics
from service.commands.inbox import prefills, registered

CATALOGUE = engine.Catalogue(
    services={
        topic.type: engine.Service(tuple(one.key for one in topic.inputs if not one.optional), topic.writes)
        for topic in topics.TOPICS
    },
    given=topics.GIVEN_TO_CASES,
    form_given=(*registered.LISTS, "returnable", prefills.ME),
    template_given=topics.GIVEN_TO_TEMPLATES,
    template_topics=frozenset({"issue_document"}),
)
