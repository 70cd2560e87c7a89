"""Who may do and see what. Nothing else decides.

Rules come as a question about things at hand (``may_see_instance``) and, where lists are read, as the same rule for
the database (``instances_seen_by``); a test holds random cases against both. All of them look at the memberships
that count today: a role lost is a right lost.
"""

from __future__ import annotations

from .cases import (
    RECOMMENDING,
    InstanceDoors,
    begun_without_parties,
    comment_audiences,
    instance_doors,
    instances_seen_by,
    may_open_files,
    may_see_attachment,
    may_see_instance,
    may_see_variables,
)
from .deputies import appointment, appointments, lent, lent_tasks, standing_in
from .offers import exclusion, is_excluded, is_offered, kept_away, offered_to
from .people import (
    ADMIN,
    DESKS,
    OWNER,
    PERSONAL,
    SIGNING,
    desk_authorities,
    expert_authorities,
    groups,
    held,
    may_administer,
    may_deploy,
    may_publish_message,
    may_start,
    parties,
    starting_organisations,
)
from .tasks import (
    holds,
    may_act_for,
    may_assign,
    may_claim,
    may_complete,
    may_delegate,
    may_plan,
    may_release,
    may_see_task,
    may_work_on,
    task_doors,
    tasks_seen_by,
)
from .views import may_delete_view, may_share_view, views_seen_by

__all__ = [
    "ADMIN",
    "DESKS",
    "OWNER",
    "PERSONAL",
    "RECOMMENDING",
    "SIGNING",
    "InstanceDoors",
    "appointment",
    "appointments",
    "begun_without_parties",
    "comment_audiences",
    "desk_authorities",
    "exclusion",
    "expert_authorities",
    "groups",
    "held",
    "holds",
    "instance_doors",
    "instances_seen_by",
    "is_excluded",
    "is_offered",
    "kept_away",
    "lent",
    "lent_tasks",
    "may_act_for",
    "may_administer",
    "may_assign",
    "may_claim",
    "may_complete",
    "may_delegate",
    "may_delete_view",
    "may_deploy",
    "may_open_files",
    "may_plan",
    "may_publish_message",
    "may_release",
    "may_see_attachment",
    "may_see_instance",
    "may_see_task",
    "may_see_variables",
    "may_share_view",
    "may_start",
    "may_work_on",
    "offered_to",
    "parties",
    "standing_in",
    "starting_organisations",
    "task_doors",
    "tasks_seen_by",
    "views_seen_by",
]
