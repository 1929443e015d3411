"""Settings: by flag and by variable, all of them in docs/operators.md, and bad ones stop the start with one clear line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from web.cli.main import parser
from web.cli.serve import SERVE
from web.settings import HELP, BadSetting, Settings, exposed, read, variable

pytestmark = pytest.mark.once

OPERATORS = Path(__file__).parents[2] / "docs" / "operators.md"


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_default() -> None:
    assert read({}, {}).port == 8000
    assert read({}, {"FANLIGHT_PORT": "9000"}).port == 9000
    assert read({"port": "9001"}, {"FANLIGHT_PORT": "9000"}).port == 9001


@pytest.mark.parametrize(
    ("flags", "environment", "told"),
    [
        ({"port": "many"}, {}, "--port is 'many'; expected a whole number"),
        ({}, {"FANLIGHT_PORT": "70000"}, "FANLIGHT_PORT is '70000'; expected port to listen on, 1 to 65535"),
        ({}, {"FANLIGHT_PROT": "1"}, "FANLIGHT_PROT is no setting"),
        ({"log_level": "loud"}, {}, "expected debug, info, warning or error"),
        ({"public_url": "ftp://x"}, {}, "expected https://name"),
        ({"link_hours": "0"}, {}, "1 to 720"),
        ({"outside_networks": "10.1.0.1/16"}, {}, "Expected networks such as 10.1.0.0/16"),
        ({"outside_networks": "inside"}, {}, "Expected networks such as 10.1.0.0/16"),
        ({"outside_ca": "/no/such/file.pem"}, {}, "holds no certificate that can be read"),
    ],
)
def test_a_bad_setting_says_which_what_was_expected_and_what_came(
    flags: dict[str, str | None], environment: dict[str, str], told: str
) -> None:
    with pytest.raises(BadSetting) as raised:
        read(flags, environment)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_origin_is_what_people_type() -> None:
    assert Settings(port=9000).origin == "http://127.0.0.1:9000"
    assert Settings(public_url="https://status.example.com/").origin == "https://status.example.com"
    assert Settings(public_url="https://status.example.com").secure


def test_operators_read_of_every_setting_by_flag_and_by_variable() -> None:
    text = OPERATORS.read_text()
    for name in Settings.__struct_fields__:
        assert f"\n| `--{name.replace('_', '-')}` | `{variable(name)}` | " in text


def test_help_lists_every_command() -> None:
    text = parser().format_help()
    for command in ("demo", "serve", "import", "export", "user", "version"):
        assert command in text
    assert set(SERVE) <= set(Settings.__struct_fields__)


def test_a_bad_setting_stops_the_start_with_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "web.cli", "serve", "--data", str(tmp_path), "--port", "high"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("fanlight: --port is 'high'")


# secrets in the list of processes


SECRETS = {
    "operator_token": "s3cret-word",
    "oidc_client_secret": "s3cret-word",
    "smtp_url": "smtp://user:s3cret-word@mail.test:587",
    "database_url": "postgresql://owner:s3cret-word@db/fanlight",
    "redis_url": "redis://:s3cret-word@cache:6379",
    "to": "postgresql://owner@db/fanlight?password=s3cret-word",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_given_as_a_flag_is_warned_of_without_repeating_it(name: str) -> None:
    (told,) = exposed({name: SECRETS[name]})
    assert f"--{name.replace('_', '-')} holds a secret" in told
    assert f"FANLIGHT_{'DATABASE_URL' if name == 'to' else name.upper()}_FILE" in told
    assert "s3cret" not in told


def test_whatever_the_help_calls_a_secret_or_shows_with_a_password_is_among_them() -> None:
    found = {name for name, text in HELP.items() if "secret" in text or "password" in text}
    assert found <= set(SECRETS)
    assert {"operator_token", "smtp_url", "oidc_client_secret"} <= found


def test_an_address_without_a_password_is_no_secret() -> None:
    addresses = {"database_url": "postgresql://fanlight@db/fanlight", "redis_url": "redis://cache:6379",
                 "smtp_url": "smtp://localhost", "operator_token": None}  # fmt: skip
    assert exposed(addresses) == []


def test_a_file_or_a_variable_is_not_warned_of(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-word\n")
    command = [sys.executable, "-m", "web.cli", "serve", "--data", str(tmp_path / "data"), "--port", "high"]
    environment = {**os.environ, "FANLIGHT_OPERATOR_TOKEN_FILE": str(tmp_path / "token")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert "secret" not in done.stderr
