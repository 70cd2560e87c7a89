"""Accounts, organisations and roles; signing in and out; personal tokens for the API.

Signing in is two steps, so that the slow look at the password holds no lock and a refusal is still written down:
``authenticate`` in a read-only transaction, then ``sign_in`` with its verdict in a writing one.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from service import clock, errors, permissions
from service.commands.cases import history
from service.models import (
    FIXED_PARTIES,
    ApiToken,
    Authority,
    Membership,
    Organisation,
    Role,
    SignInFailure,
    User,
    UserSession,
)

HASHER = PasswordHasher()
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1000
FREE_FAILURES = 5
FORGOTTEN_AFTER = timedelta(minutes=15)
SESSION_TOUCHED_EVERY = timedelta(minutes=5)
TOKEN_PREFIX = "guohe_"
SCOPES = ("read", "write")

KINDS = {"province": "provincial_government"}
"""A party that only one kind of organisation can be: a science department never speaks for its government."""

# party, function, Chinese name, English name, the lane that means this role where a diagram says nothing more
ROLES: tuple[tuple[str, str, str, str | None], ...] = (
    ("applicant.drafter", "起草人", "Drafter", "申报机构"),
    ("applicant.reviewer", "内部审核人", "Internal reviewer", None),
    ("applicant.signatory", "法定代表人（签署）", "Signatory", None),
    ("applicant.director", "基地主任", "Base director", None),
    ("applicant.liaison", "联络人", "Liaison", None),
    ("zone.drafter", "高新区意见起草人", "Zone drafter", "国家高新区"),
    ("zone.signatory", "高新区签署人", "Zone signatory", None),
    ("province.drafter", "省级政府起草处室", "Province drafter", "省级人民政府"),
    ("province.signatory", "省级政府签署人", "Province signatory", None),
    ("recommender.reviewer", "推荐部门审核人", "Recommender's reviewer", "推荐部门"),
    ("recommender.signatory", "推荐部门签署人", "Recommender's signatory", None),
    ("recommender.funding", "经费匹配专员", "Matching-fund officer", None),
    ("recommender.inspector", "监督检查员", "Inspector", None),
    ("most.decider", "科技部决定人", "Ministry's decision maker", "科技部"),
    ("coop.intake", "国际合作司受理", "Intake", "国际合作司"),
    ("coop.organiser", "国际合作司评审组织", "Review organiser", None),
    ("coop.assessor", "国际合作司评估", "Assessor", None),
    ("coop.signatory", "国际合作司签署人", "Signatory of the department", None),
    ("torch.organiser", "火炬中心评审组织", "Torch Centre organiser", "火炬中心"),
    ("torch.signatory", "火炬中心签署人", "Torch Centre signatory", None),
    ("experts.reviewer", "评审专家", "Expert reviewer", "专家组"),
    ("experts.chair", "专家组组长", "Panel chair", None),
    ("experts.visitor", "考核专家", "Site visitor", None),
    ("secretariat.officer", "联盟秘书处", "Alliance secretariat", "中国科学技术交流中心"),
    ("secretariat.editor", "专栏编辑", "Column editor", None),
    ("platform.admin", "平台管理员", "Administrator", "平台运维"),
    ("platform.owner", "流程负责人", "Process owner", None),
)


# Authorities, organisations, people


def seed_roles(session: Session) -> None:
    """Put the roles that diagrams may name into the table, or bring their names up to date."""
    for code, zh, en, lane in ROLES:
        party = code.partition(".")[0]
        session.merge(Role(code=code, party=party, name_zh=zh, name_en=en, lane=lane))
    session.flush()


def create_authority(session: Session, code: str, name: str, *, name_en: str = "") -> Authority:
    """Set up an authority that has procedures and a register of its own (art. 21)."""
    _free(session, select(Authority.id).where(Authority.code == code), "code", code)
    authority = Authority(code=code, name=name, name_en=name_en, created_at=clock.now())
    session.add(authority)
    session.flush()
    return authority


def create_organisation(
    session: Session, authority: Authority, code: str, kind: str, name: str, *, user: User | None = None, **details: Any
) -> Organisation:
    """Enter an organisation. One whose code is a fixed party plays that party in all cases of the authority."""
    _administers(user, authority.id)
    taken = select(Organisation.id).where(Organisation.authority_id == authority.id, Organisation.code == code)
    _free(session, taken, "code", code)
    organisation = Organisation(authority=authority, authority_id=authority.id, code=code, kind=kind, name=name)
    for field, value in details.items():
        setattr(organisation, field, value)
    session.add(organisation)
    session.flush()
    _note(session, authority.id, "organisation_created", user, organisation_id=organisation.id, code=code, name=name)
    return organisation


def create_user(
    session: Session,
    authority: Authority,
    username: str,
    name: str,
    *,
    password: str | None = None,
    email: str = "",
    locale: str = "zh",
    user: User | None = None,
) -> User:
    """Open an account. Without a password nobody can sign in to it yet."""
    _administers(user, authority.id)
    username = _username(username)
    _free(session, select(User.id).where(User.username == username), "username", username)
    account = User(
        authority_id=authority.id,
        username=username,
        name=name,
        email=email,
        locale=locale,
        password_hash=None if password is None else _hashed(password),
        active=True,
        created_at=clock.now(),
        memberships=[],
    )
    session.add(account)
    session.flush()
    _note(session, authority.id, "user_created", user, account_id=account.id, username=username)
    return account


def add_membership(
    session: Session,
    account: User,
    organisation: Organisation,
    role: str,
    *,
    since: date | None = None,
    until: date | None = None,
    user: User | None = None,
) -> Membership:
    """Give a person a role in an organisation, or change the days it counts."""
    _administers(user, organisation.authority_id)
    party = role.partition(".")[0]
    if session.get(Role, role) is None:
        raise errors.InvalidInput(f"没有“{role}”这个角色。", f"There is no role “{role}”.", field="role")
    fixed = party in FIXED_PARTIES or organisation.code in FIXED_PARTIES
    if (fixed and organisation.code != party) or organisation.kind != KINDS.get(party, organisation.kind):
        raise errors.InvalidInput(
            f"“{organisation.name}”中没有“{role}”这个角色。",
            f"“{organisation.name}” has no role “{role}”.",
            field="role",
        )
    if since and until and until <= since:
        raise errors.InvalidInput("结束日期应晚于开始日期。", "The end has to come after the beginning.", field="until")
    membership = next(
        (one for one in account.memberships if (one.organisation_id, one.role) == (organisation.id, role)), None
    )
    if membership is None:
        membership = Membership(organisation=organisation, organisation_id=organisation.id, role=role)
        account.memberships.append(membership)
    membership.since, membership.until = since, until
    session.flush()
    _note(
        session,
        organisation.authority_id,
        "membership_set",
        user,
        account_id=account.id,
        organisation_id=organisation.id,
        role=role,
        since=since and since.isoformat(),
        until=until and until.isoformat(),
    )
    return membership


def remove_membership(session: Session, membership: Membership, *, user: User | None = None) -> None:
    """Take a role away from a person, from this moment on."""
    authority_id = membership.organisation.authority_id
    _administers(user, authority_id)
    facts = {"account_id": membership.user_id, "organisation_id": membership.organisation_id, "role": membership.role}
    membership.user.memberships.remove(membership)
    session.flush()
    _note(session, authority_id, "membership_removed", user, **facts)


def set_password(session: Session, account: User, password: str, *, user: User | None = None) -> None:
    """Give an account a new password and sign it out everywhere."""
    if user is not None and user.id != account.id:
        _administers(user, account.authority_id)
    account.password_hash = _hashed(password)
    sign_out_everywhere(session, account)
    _note(session, account.authority_id, "password_set", user, account_id=account.id)


def set_active(session: Session, account: User, active: bool, *, user: User | None = None) -> None:
    """Close an account, and sign it out everywhere, or open it again."""
    _administers(user, account.authority_id)
    account.active = active
    if not active:
        sign_out_everywhere(session, account)
    _note(session, account.authority_id, "account_opened" if active else "account_closed", user, account_id=account.id)


def set_locale(session: Session, locale: str, *, user: User) -> None:
    """Talk to the user in Chinese or English from now on."""
    if locale not in ("zh", "en"):
        raise errors.InvalidInput("语言应为 zh 或 en。", "The language has to be zh or en.", field="locale")
    session.execute(update(User).where(User.id == user.id).values(locale=locale))
    user.locale = locale


# Signing in


@dataclass(frozen=True, slots=True)
class Attempt:
    """The verdict on a name and a password. ``error`` is what to tell whoever typed them."""

    username: str
    user: User | None
    refused: Literal["wrong", "inactive", "throttled"] | None = None
    again_at: datetime | None = None

    @property
    def error(self) -> errors.ServiceError | None:
        """Return the sentence to show; an unknown name and a wrong password read the same."""
        match self.refused:
            case None:
                return None
            case "throttled":
                return errors.TooManyAttempts(when=self.again_at)
            case "inactive":
                return errors.NotSignedIn(
                    "此账号已停用，请联系管理员。", "This account is closed.", code="account_closed", field="username"
                )
            case "wrong":
                return errors.NotSignedIn(
                    "用户名或密码不正确。", "Wrong user name or password.", code="wrong_password", field="password"
                )


def authenticate(session: Session, username: str, password: str) -> Attempt:
    """Look at a name and a password without changing anything. Takes as long for a name nobody has."""
    username = username.encode("utf-8", "replace").decode().replace("\x00", "").strip().lower()[:200]
    blocked = _blocked_until(session.get(SignInFailure, username))
    if blocked is not None and blocked > clock.now():
        return Attempt(username, None, "throttled", blocked)
    account = session.scalar(select(User).where(User.username == username))
    right = _verified(account.password_hash if account else None, password)
    if account is None or not right:
        return Attempt(username, None, "wrong")
    return Attempt(username, account if account.active else None, None if account.active else "inactive")


def sign_in(
    session: Session, attempt: Attempt, *, hours: int = 12, address: str = "", agent: str = ""
) -> tuple[UserSession, str] | None:
    """Open a session for a successful attempt and return it with its cookie; count a failed one."""
    now = clock.now()
    session.execute(delete(SignInFailure).where(SignInFailure.last_at < now - FORGOTTEN_AFTER))
    if attempt.user is None:
        if attempt.refused == "wrong":
            _count_failure(session, attempt.username, now)
        return None
    session.execute(delete(SignInFailure).where(SignInFailure.username == attempt.username))
    session.execute(delete(UserSession).where(UserSession.expires_at < now - timedelta(days=30)))
    token = secrets.token_urlsafe(32)
    opened = UserSession(
        token_hash=token_hash(token),
        user_id=attempt.user.id,
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(hours=hours),
        address=address[:100],
        agent=agent[:300],
    )
    session.add(opened)
    session.flush()
    return opened, token


def touch_session(session: Session, opened: UserSession, *, hours: int = 12) -> bool:
    """Keep a session in use alive. Writes every few minutes at most; say whether it did."""
    now = clock.now()
    if now - opened.seen_at < SESSION_TOUCHED_EVERY:
        return False
    times = {"seen_at": now, "expires_at": now + timedelta(hours=hours)}
    session.execute(update(UserSession).where(UserSession.id == opened.id).values(times))
    return True


def sign_out(session: Session, token: str) -> None:
    """End the session this cookie belongs to."""
    ended = update(UserSession).where(UserSession.token_hash == token_hash(token), UserSession.revoked_at.is_(None))
    session.execute(ended.values(revoked_at=clock.now()))


def sign_out_everywhere(session: Session, account: User) -> None:
    """End every session and every token of an account."""
    for table in (UserSession, ApiToken):
        ended = update(table).where(table.user_id == account.id, table.revoked_at.is_(None))
        session.execute(ended.values(revoked_at=clock.now()))


# Tokens for the API


def create_token(
    session: Session, name: str, *, user: User, scopes: tuple[str, ...] = SCOPES, days: int | None = 90
) -> tuple[ApiToken, str]:
    """Make a personal token and return it with its text, which is shown once and not kept."""
    name = name.strip()
    if not 1 <= len(name) <= 100:
        raise errors.InvalidInput("请填写令牌名称（不超过 100 字）。", "Give the token a name.", field="name")
    if not scopes or set(scopes) - set(SCOPES):
        raise errors.InvalidInput("权限范围应为 read 或 write。", "The scopes are read and write.", field="scopes")
    if days is not None and not 1 <= days <= 3650:
        raise errors.InvalidInput("有效期应为 1 至 3650 天。", "It may live 1 to 3650 days.", field="days")
    now = clock.now()
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        user_id=user.id,
        token_hash=token_hash(text),
        name=name,
        hint=text[:10],
        scopes=list(scopes),
        created_at=now,
        expires_at=None if days is None else now + timedelta(days=days),
    )
    session.add(token)
    session.flush()
    _note(session, user.authority_id, "token_created", user, token_id=token.id, name=name)
    return token, text


def touch_token(session: Session, token: ApiToken) -> bool:
    """Note that a token is in use. Writes every few minutes at most; say whether it did."""
    now = clock.now()
    if token.last_used_at is not None and now - token.last_used_at < SESSION_TOUCHED_EVERY:
        return False
    session.execute(update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=now))
    return True


def revoke_token(session: Session, token_id: int, *, user: User) -> None:
    """Make one of the user's own tokens useless."""
    token = session.get(ApiToken, token_id)
    if token is None or token.user_id != user.id:
        raise errors.NotFound
    if token.revoked_at is None:
        token.revoked_at = clock.now()
        _note(session, user.authority_id, "token_revoked", user, token_id=token.id, name=token.name)


def token_hash(token: str) -> bytes:
    """Return what is kept of a token. It is long and random, so a fast hash cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


# Helpers


def _administers(user: User | None, authority_id: int) -> None:
    # Nobody at all is the command line, which has the database anyway.
    if user is not None and not permissions.may_administer(user, authority_id):
        raise errors.Forbidden


def _free(session: Session, taken: Any, field: str, value: str) -> None:
    if session.scalar(taken) is not None:
        raise errors.Conflict(f"“{value}”已被使用。", f"“{value}” is taken.", field=field)


def _note(session: Session, authority_id: int, kind: str, user: User | None, **data: Any) -> None:
    history.note_authority(session, authority_id, kind, user, data)


def _username(value: str) -> str:
    value = value.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]{1,99}", value):
        raise errors.InvalidInput(
            "用户名由 2 至 100 个字母、数字、点、下划线、@ 或连字符组成。",
            "A user name is 2 to 100 letters, digits, dots, underscores, @ or hyphens.",
            field="username",
        )
    return value


def _hashed(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise errors.InvalidInput(
            f"密码至少 {SHORTEST_PASSWORD} 个字符。",
            f"A password has at least {SHORTEST_PASSWORD} characters.",
            field="password",
        )
    return HASHER.hash(password)


_nobodys: list[str] = []


def _verified(password_hash: str | None, password: str) -> bool:
    if not _nobodys:
        _nobodys.append(HASHER.hash(secrets.token_urlsafe(16)))
    try:
        # An account without a password, and no account at all, cost the same time as a wrong password.
        HASHER.verify(password_hash or _nobodys[0], password[:LONGEST_PASSWORD].encode("utf-8", "replace"))
    except (VerifyMismatchError, InvalidHashError):
        return False
    return password_hash is not None


def _blocked_until(failure: SignInFailure | None) -> datetime | None:
    if failure is None or failure.failures < FREE_FAILURES:
        return None
    pause = timedelta(seconds=min(30 * 2 ** min(failure.failures - FREE_FAILURES, 10), 900))
    return failure.last_at + pause


def _count_failure(session: Session, username: str, now: datetime) -> None:
    counted = update(SignInFailure).where(SignInFailure.username == username)
    counted = counted.values(failures=SignInFailure.failures + 1, last_at=now)
    if session.execute(counted.returning(SignInFailure.username)).first() is None:
        session.add(SignInFailure(username=username, failures=1, last_at=now))
        session.flush()
