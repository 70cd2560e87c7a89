"""Settings from the environment, and what a wrong one says."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from service import config


def test_nothing_set_gives_a_working_start(tmp_path):
    settings = config.read({"GUOHE_DATA": str(tmp_path / "var")})
    assert settings.database_url == f"sqlite:///{tmp_path / 'var' / 'guohe.db'}"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.base_url == "http://127.0.0.1:8000"
    assert (settings.profile, settings.demo, settings.smtp_url) == ("strict", False, "")
    assert settings.mailbox == tmp_path / "var" / "mailbox"
    assert settings.secure is False


def test_the_secret_key_is_made_once_and_readable_by_its_owner_alone(tmp_path):
    environ = {"GUOHE_DATA": str(tmp_path)}
    key = config.read(environ).secret_key
    assert len(key) == 64
    assert config.read(environ).secret_key == key
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_processes_that_start_together_agree_on_the_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = {settings.secret_key for settings in pool.map(config.read, [{"GUOHE_DATA": str(tmp_path)}] * 8)}
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_what_is_set_is_taken(tmp_path):
    settings = config.read(
        {
            "GUOHE_DATA": str(tmp_path),
            "DATABASE_URL": "postgresql://x/y",
            "GUOHE_SECRET_KEY": "s" * 16,
            "GUOHE_HOST": "0.0.0.0",
            "GUOHE_PORT": "9000",
            "SMTP_URL": "smtps://u:p@mail.example.org:465",
            "GUOHE_PROFILE": "practice",
            "GUOHE_DEMO": "1",
            "GUOHE_BASE_URL": "https://guohe.example.org/",
            "GUOHE_LOCALE": "en",
        }
    )
    assert settings.database_url == "postgresql://x/y"
    assert settings.secret_key == "s" * 16
    assert settings.port == 9000
    assert settings.profile == "practice"
    assert settings.demo is True
    assert settings.base_url == "https://guohe.example.org"
    assert settings.secure is True
    assert not (tmp_path / "secret.key").exists()


def test_a_server_for_all_addresses_is_visited_at_this_one(tmp_path):
    settings = config.read({"GUOHE_DATA": str(tmp_path), "GUOHE_HOST": "0.0.0.0", "GUOHE_PORT": "81"})
    assert settings.base_url == "http://127.0.0.1:81"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GUOHE_PORT", "http"),
        ("GUOHE_PORT", "0"),
        ("GUOHE_PORT", "65536"),
        ("GUOHE_PORT", "-1"),
        ("GUOHE_PORT", "８０００"),
        ("GUOHE_PROFILE", "lax"),
        ("GUOHE_DEMO", "perhaps"),
        ("GUOHE_LOCALE", "fr"),
        ("SMTP_URL", "mail.example.org"),
        ("SMTP_URL", "http://mail.example.org"),
        ("SMTP_URL", "smtp://mail:port"),
        ("GUOHE_BASE_URL", "guohe.example.org"),
        ("GUOHE_SECRET_KEY", "short"),
        ("GUOHE_UPLOAD_LIMIT_MB", "many"),
        ("GUOHE_SESSION_HOURS", "0"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line_in_both_languages(tmp_path, name, value):
    with pytest.raises(config.WrongSetting) as raised:
        config.read({"GUOHE_DATA": str(tmp_path), name: value})
    for sentence in (raised.value.zh, raised.value.en):
        assert name in sentence
        assert "\n" not in sentence


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(config.WrongSetting) as raised:
        config.read({"GUOHE_DATA": str(tmp_path / "file" / "var")})
    assert raised.value.name == "GUOHE_DATA"


def test_a_half_written_key_is_named(tmp_path):
    (tmp_path / "secret.key").write_text("abc")
    with pytest.raises(config.WrongSetting) as raised:
        config.read({"GUOHE_DATA": str(tmp_path)})
    assert "secret.key" in raised.value.zh


def test_settings_do_not_change(tmp_path):
    settings = config.read({"GUOHE_DATA": str(tmp_path)})
    with pytest.raises(AttributeError):
        settings.port = 1
