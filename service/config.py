"""Settings, read once from the environment at start-up and handed on from there."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from service import fonts

Profile = Literal["strict", "practice"]


class WrongSetting(Exception):
    """A setting cannot be used. ``zh`` and ``en`` say in one line which and what it should be."""

    def __init__(self, name: str, zh: str, en: str) -> None:
        self.name = name
        self.zh = f"设置 {name} 有误：{zh}"
        self.en = f"Setting {name} is wrong: {en}"
        super().__init__(f"{self.zh} {self.en}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can choose.

    ``smtp_url`` empty means that mail is written into ``mailbox`` instead of being sent. ``profile`` decides
    between the text of the regulation alone and the practice around it. ``log_format`` is ``text`` or ``json``;
    ``traces`` the address of an OpenTelemetry collector (OTLP over HTTP), empty: none. ``webhook_networks`` are
    private networks that webhooks may reach nevertheless. Lists of more than ``export_rows`` rows are exported by a
    worker, and the file is kept for ``export_days``. ``pdf_font`` is a TrueType font to embed into PDFs instead
    of the installed one.
    """

    database_url: str
    data: Path
    secret_key: str
    host: str = "127.0.0.1"
    port: int = 8000
    base_url: str = "http://127.0.0.1:8000"
    smtp_url: str = ""
    mail_from: str = "guohe@localhost"
    profile: Profile = "strict"
    demo: bool = False
    locale: str = "zh"
    database_pool: int = 10
    upload_limit: int = 50 * 1024 * 1024
    session_hours: int = 12
    undo_seconds: int = 10
    pdf_font: str = ""
    export_rows: int = 5000
    export_days: int = 7
    scan_command: str = ""
    office_command: str = ""
    webhook_networks: str = ""
    log_format: str = "text"
    traces: str = ""

    @property
    def mailbox(self) -> Path:
        """The folder for mail while no mail server is configured."""
        return self.data / "mailbox"

    @property
    def files(self) -> Path:
        """The folder for attachments and issued documents."""
        return self.data / "files"

    @property
    def secure(self) -> bool:
        """True where users come by HTTPS, so that cookies may insist on it."""
        return self.base_url.startswith("https://")


def read(environ: Mapping[str, str]) -> Settings:
    """Read the settings; make the data folder and the secret key where there are none yet."""
    data = _data_folder(environ.get("GUOHE_DATA") or "var")
    host = environ.get("GUOHE_HOST") or "127.0.0.1"
    port = _number(environ, "GUOHE_PORT", 8000, 1, 65535)
    return Settings(
        database_url=environ.get("DATABASE_URL") or f"sqlite:///{data / 'guohe.db'}",
        data=data,
        secret_key=_secret_key(environ, data),
        host=host,
        port=port,
        base_url=_url(environ, "GUOHE_BASE_URL", {"http", "https"}) or f"http://{_reachable(host)}:{port}",
        smtp_url=_url(environ, "SMTP_URL", {"smtp", "smtps"}),
        mail_from=environ.get("GUOHE_MAIL_FROM") or "guohe@localhost",
        profile=_profile(environ),
        demo=_switch(environ, "GUOHE_DEMO"),
        locale=_one_of(environ, "GUOHE_LOCALE", ("zh", "en")),
        database_pool=_number(environ, "GUOHE_DATABASE_POOL", 10, 1, 500),
        upload_limit=_number(environ, "GUOHE_UPLOAD_LIMIT_MB", 50, 1, 10_000) * 1024 * 1024,
        session_hours=_number(environ, "GUOHE_SESSION_HOURS", 12, 1, 24 * 90),
        undo_seconds=_number(environ, "GUOHE_UNDO_SECONDS", 10, 0, 600),
        pdf_font=_font_file(environ, "GUOHE_PDF_FONT"),
        export_rows=_number(environ, "GUOHE_EXPORT_ROWS", 5000, 0, 1_000_000),
        export_days=_number(environ, "GUOHE_EXPORT_DAYS", 7, 1, 365),
        scan_command=environ.get("GUOHE_SCAN_COMMAND", "").strip(),
        office_command=environ.get("GUOHE_OFFICE_COMMAND", "").strip(),
        webhook_networks=_networks(environ, "GUOHE_WEBHOOK_NETWORKS"),
        log_format=_one_of(environ, "GUOHE_LOG", ("text", "json")),
        traces=_url(environ, "OTEL_EXPORTER_OTLP_ENDPOINT", {"http", "https"}),
    )


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _data_folder(value: str) -> Path:
    data = Path(value)
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongSetting(
            "GUOHE_DATA",
            f"无法建立文件夹 {data}（{error.strerror}），请改为可写的路径。",
            f"the folder {data} cannot be made ({error.strerror}); give one that can be written.",
        ) from None
    if not os.access(data, os.W_OK):
        raise WrongSetting(
            "GUOHE_DATA", f"文件夹 {data} 不可写，请修改权限或路径。", f"the folder {data} cannot be written to."
        )
    return data


def _secret_key(environ: Mapping[str, str], data: Path) -> str:
    given = environ.get("GUOHE_SECRET_KEY")
    if given:
        if len(given) < 16:
            raise WrongSetting(
                "GUOHE_SECRET_KEY",
                "太短，至少 16 个字符；不设置则自动生成。",
                "it is too short; give at least 16 characters, or leave it out and one is made.",
            )
        return given
    path = data / "secret.key"
    # Two processes may start at once: a link appears whole or not at all, and the second one loses.
    if not path.exists():
        descriptor, name = tempfile.mkstemp(dir=data, prefix=".secret")
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
        os.unlink(name)
    key = path.read_text().strip()
    if len(key) < 16:
        raise WrongSetting(
            "GUOHE_SECRET_KEY",
            f"文件 {path} 内容不完整，删除后会重新生成（已登录者需重新登录）。",
            f"the file {path} is incomplete; delete it and a new one is made (everybody signs in again).",
        )
    return key


def _number(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    value = environ.get(name)
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise WrongSetting(
            name,
            f"“{value}”不是 {least} 到 {most} 之间的整数。",
            f"“{value}” is no whole number from {least} to {most}.",
        )
    return int(value)


def _networks(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name) or ""
    try:
        for part in filter(None, (one.strip() for one in value.split(","))):
            ipaddress.ip_network(part)
    except ValueError:
        raise WrongSetting(
            name, f"“{value}”不是形如 10.1.0.0/16 的网段。", f"“{value}” is no list of networks like 10.1.0.0/16."
        ) from None
    return value


def _font_file(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name) or ""
    if value and not fonts.embeddable(Path(value)):
        raise WrongSetting(
            name,
            f"“{value}”不是 TrueType 字体文件（.ttf 或 .ttc；PostScript 轮廓的 .otf 无法嵌入）。",
            f"“{value}” is no TrueType font (.ttf or .ttc; PostScript outlines as in .otf cannot be embedded).",
        )
    return value


def _switch(environ: Mapping[str, str], name: str) -> bool:
    value = (environ.get(name) or "0").lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise WrongSetting(name, f"“{value}”应为 1（开）或 0（关）。", f"“{value}” should be 1 (on) or 0 (off).")


def _one_of(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = environ.get(name) or choices[0]
    if value not in choices:
        raise WrongSetting(
            name, f"“{value}”应为 {'、'.join(choices)} 之一。", f"“{value}” should be one of {', '.join(choices)}."
        )
    return value


def _profile(environ: Mapping[str, str]) -> Profile:
    return "practice" if _one_of(environ, "GUOHE_PROFILE", ("strict", "practice")) == "practice" else "strict"


def _url(environ: Mapping[str, str], name: str, schemes: set[str]) -> str:
    value = environ.get(name) or ""
    if not value:
        return ""
    example = f"{min(schemes)}://example.org"
    try:
        parts = urlsplit(value)
        usable = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise WrongSetting(name, f"不是形如 {example} 的地址。", f"it is no address like {example}.")
    return value.rstrip("/")
