"""Settings come from the environment, whole and checked."""

from __future__ import annotations

import pytest

from engine.errors import InputError
from web.settings import Settings, read_settings


def test_nothing_given_means_the_defaults():
    assert read_settings({"PATH": "/bin"}) == Settings()


def test_every_kind_of_value_is_read():
    found = read_settings(
        {
            "TAROZU_WEB_SECURE_COOKIES": "yes",
            "TAROZU_WEB_TRUSTED_PROXIES": "2",
            "TAROZU_WEB_LOG_LEVEL": "error",
        }
    )

    assert found == Settings(secure_cookies=True, trusted_proxies=2, log_level="error")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TAROZU_WEB_SECURE_COOKIE", "1"),
        ("TAROZU_WEB_SECURE_COOKIES", "perhaps"),
        ("TAROZU_WEB_TRUSTED_PROXIES", "-1"),
        ("TAROZU_WEB_SESSION_HOURS", "0"),
        ("TAROZU_WEB_MAX_REQUEST_KIB", "many"),
        ("TAROZU_WEB_LOG_LEVEL", "loud"),
    ],
)
def test_an_unknown_name_or_bad_value_is_refused_by_name(name, value):
    with pytest.raises(InputError, match=name):
        read_settings({name: value})
