"""The key: where it may come from, what is refused, and that it never shows."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import os
import pickle
import secrets
from pathlib import Path

import duckdb
import pytest

from workbench.data.keys import (
    KEY_FILE_VARIABLE,
    KEY_VARIABLE,
    Key,
    create_key,
    default_key_file,
    demonstration_key,
    find_key,
    read_key_file,
    without_keys,
)
from workbench.data.pseudonyms import give_key, pseudonym_sql
from workbench.errors import KeyFault

SECRET = bytes(range(1, 33))
TEXT = SECRET.hex()
posix_only = pytest.mark.skipif(os.name != "posix", reason="Windows keeps such rights elsewhere")


def _file(folder, text=TEXT, mode=0o600):
    path = folder / "secret"
    path.write_text(text)
    path.chmod(mode)
    return path


def _found(environment, outside=()):
    return find_key(outside=outside, environment=environment)


@pytest.mark.parametrize(
    "text",
    [SECRET.hex(), SECRET.hex().upper() + "\n", base64.b64encode(SECRET).decode(),
     base64.urlsafe_b64encode(bytes(range(200, 240))).decode().rstrip("="),
     f"{SECRET.hex()[:32]} {SECRET.hex()[32:]}"],
)  # fmt: skip
def test_a_key_is_read_from_hexadecimal_and_base64(tmp_path, text):
    secret = SECRET if len(text) < 70 and "_" not in text and "-" not in text else None
    found = [_found({KEY_VARIABLE: text}), _found({KEY_FILE_VARIABLE: str(_file(tmp_path, text))})]
    assert found[0].fingerprint == found[1].fingerprint
    if secret:
        assert found[0].pseudonym("1", "danish") == _by_hand(secret, "danish:1")


def _by_hand(secret, message):
    digest = hmac.new(secret, message.encode(), hashlib.sha256).digest()[:16]
    return "".join(chr(97 + (byte >> 4)) + chr(97 + (byte & 15)) for byte in digest)


@pytest.mark.parametrize("n_bytes", [32, 63, 64, 65, 200])
def test_the_engine_makes_the_pseudonyms_of_pythons_hmac(n_bytes):
    secret = bytes((7 * at + 1) % 256 for at in range(n_bytes))
    key = Key(secret, "a test")
    numbers = ["191212121212", "131052-308T", "0" * 11, "å" * 40, "x" * 200]
    with duckdb.connect() as engine:
        give_key(engine, key)
        made = engine.execute(
            f"select {pseudonym_sql('n', 'swedish')} from (select unnest(?::varchar[]) as n)",
            [numbers],
        ).fetchall()
    expected = [_by_hand(secret, f"swedish:{number}") for number in numbers]
    assert [one for (one,) in made] == expected
    assert [key.pseudonym(number, "swedish") for number in numbers] == expected


def test_schemes_and_keys_do_not_meet():
    one, other = Key(SECRET, "a"), Key(SECRET[::-1], "b")
    made = {key.pseudonym("1", s) for key in (one, other) for s in ("danish", "norwegian")}
    assert len(made) == 4
    assert one.fingerprint != other.fingerprint


def test_a_key_never_shows(tmp_path):
    key = Key(SECRET, "a test")
    assert repr(key) == str(key) == "Key(from a test)"
    for write_down in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not written down"):
            write_down(key)
    assert not hasattr(key, "__dict__")
    assert SECRET.hex() not in key.fingerprint


def test_without_a_key_there_is_none(tmp_path):
    assert _found({"XDG_CONFIG_HOME": str(tmp_path)}) is None


def test_the_key_in_the_configuration_folder_is_found(tmp_path):
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    create_key(default_key_file(environment), outside=[])
    assert _found(environment).origin.endswith("register-workbench/key")


def test_the_usual_place_is_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert default_key_file({}) == tmp_path / ".config" / "register-workbench" / "key"


def test_the_word_demonstration_gives_the_public_key():
    assert _found({KEY_VARIABLE: "demonstration"}).is_demonstration
    assert demonstration_key().is_demonstration
    assert not Key(SECRET, "a").is_demonstration


FAULTS = {
    "too short": (SECRET.hex()[:62], "too short: 31 bytes"),
    "cut short by one sign": (SECRET.hex()[:63], "holds no key"),
    "words": ("correct horse battery staple!", "holds no key"),
    "one byte again and again": ("00" * 32, "not random"),
    "a short base64 key": (base64.b64encode(SECRET[:20]).decode(), "too short"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_no_key_is_refused_and_not_shown(tmp_path, case):
    text, told = FAULTS[case]
    for environment in ({KEY_VARIABLE: text}, {KEY_FILE_VARIABLE: str(_file(tmp_path, text))}):
        with pytest.raises(KeyFault, match=told) as refused:
            _found(environment)
        assert refused.value.exit_code == 2
        assert text[:12] not in str(refused.value)
        assert refused.value.__suppress_context__ or refused.value.__context__ is None


@posix_only
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o610, 0o602])
def test_a_key_file_that_others_can_use_is_refused(tmp_path, mode):
    path = _file(tmp_path, mode=mode)
    with pytest.raises(KeyFault, match=f"mode is {mode:04o}.*\n?.*chmod 600"):
        read_key_file(path, outside=[])


@posix_only
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_file_of_its_owner_alone_is_taken(tmp_path, mode):
    assert read_key_file(_file(tmp_path, mode=mode), outside=[]).fingerprint


@posix_only
def test_a_key_file_of_somebody_else_is_refused(tmp_path, monkeypatch):
    path = _file(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(KeyFault, match="belongs to somebody else"):
        read_key_file(path, outside=[])


def test_a_key_file_in_the_project_is_refused_also_by_a_detour(tmp_path):
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir(), elsewhere.mkdir()
    path = _file(project)
    link = elsewhere / "link"
    link.symlink_to(path)
    for one in (path, link, project / ".." / "project" / "secret"):
        with pytest.raises(KeyFault, match="with the data it protects"):
            read_key_file(one, outside=[project])
    with pytest.raises(KeyFault, match="with the data it protects"):
        create_key(project / "new", outside=[project])
    assert not (project / "new").exists()


def test_a_key_file_that_is_not_there_or_no_key_file_is_told(tmp_path):
    with pytest.raises(KeyFault, match="cannot be read: No such file.*workbench new key"):
        read_key_file(tmp_path / "none", outside=[])
    with pytest.raises(KeyFault, match="is not a file"):
        read_key_file(tmp_path, outside=[])
    with pytest.raises(KeyFault, match="too long"):
        read_key_file(_file(tmp_path, "ab" * 4000), outside=[])
    (tmp_path / "bytes").write_bytes(b"\xff" * 64)
    (tmp_path / "bytes").chmod(0o600)
    with pytest.raises(KeyFault, match="no key as text"):
        read_key_file(tmp_path / "bytes", outside=[])


def test_two_keys_at_once_are_refused(tmp_path):
    environment = {KEY_VARIABLE: SECRET.hex(), KEY_FILE_VARIABLE: str(_file(tmp_path))}
    with pytest.raises(KeyFault, match="only one can hold"):
        _found(environment)


def test_a_new_key_is_its_owners_alone_and_never_written_over(tmp_path):
    path = tmp_path / "folder" / "key"
    old_mask = os.umask(0o000)
    try:
        create_key(path, outside=[])
    finally:
        os.umask(old_mask)
    before = path.read_bytes()
    assert len(bytes.fromhex(before.decode())) == 32
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(KeyFault, match="stays as it is"):
        create_key(path, outside=[])
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["key"]


def test_two_new_keys_differ(tmp_path):
    create_key(tmp_path / "a", outside=[])
    create_key(tmp_path / "b", outside=[])
    assert (tmp_path / "a").read_text() != (tmp_path / "b").read_text()


def test_a_new_key_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeyFault, match="cannot be written: No space"):
        create_key(tmp_path / "key", outside=[])
    assert list(tmp_path.iterdir()) == []


def test_other_processes_get_no_key():
    environment = {KEY_VARIABLE: secrets.token_hex(), KEY_FILE_VARIABLE: "x", "PATH": "p"}
    assert without_keys(environment) == {"PATH": "p"}
