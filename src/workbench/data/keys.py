"""The secret key behind the pseudonyms: where it comes from, and that it goes nowhere else.

Whoever has the key can find a person in the store by the identity number, so it lies outside the
project, readable by its owner only. It is never stored, printed or told in an error. A store keeps
a fingerprint, by which it knows its key again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import hexdigits
from tempfile import mkstemp
from typing import NoReturn

from workbench.errors import KeyFault
from workbench.registers.variables import IdentityScheme

KEY_FILE_VARIABLE = "WORKBENCH_KEY_FILE"
KEY_VARIABLE = "WORKBENCH_KEY"
KEY_BYTES = 32  # as strong as the hash
BLOCK_BYTES = 64  # of SHA-256
LONGEST_FILE = 4096
FEWEST_DIFFERENT_BYTES = 8  # 32 random bytes have about 30 different ones, never so few
DEMONSTRATION = "demonstration"  # what WORKBENCH_KEY may say instead of a key
FINGERPRINT_OF = b"register-workbench: fingerprint of a store's key"
PSEUDONYM_SIGNS = 32  # 128 bits, four a letter
# Letters for the usual hexadecimal signs: among a million pseudonyms with digits some would hold
# what looks like an identity number, and every search for numbers left behind would find those.
HEXADECIMAL, PSEUDONYM_LETTERS = "0123456789abcdef", "abcdefghijklmnop"


class Key:
    """A secret key; made by `find_key`, `read_key_file` and `demonstration_key`."""

    __slots__ = ("__secret", "origin")

    def __init__(self, secret: bytes, origin: str) -> None:
        self.__secret = secret
        self.origin = origin  # in words, for messages

    def __repr__(self) -> str:
        """Say where the key came from, and never what it is."""
        return f"Key(from {self.origin})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be written down, as copies for another process would be."""
        raise TypeError("a key is not written down")

    @property
    def fingerprint(self) -> str:
        """What a store keeps to know its key again.

        A fast hash is enough: the key is random, so that nobody finds it by trying.
        """
        return self._mac(FINGERPRINT_OF)

    @property
    def is_demonstration(self) -> bool:
        """Whether this is the public key for persons who do not exist."""
        return hmac.compare_digest(self.fingerprint, demonstration_key().fingerprint)

    def pseudonym(self, number: str, scheme: IdentityScheme) -> str:
        """The pseudonym of a number in its normal form."""
        signs = self._mac(f"{scheme}:{number}".encode())[:PSEUDONYM_SIGNS]
        return signs.translate(str.maketrans(HEXADECIMAL, PSEUDONYM_LETTERS))

    def pads(self) -> tuple[bytes, bytes]:
        """The inner and outer block that HMAC (RFC 2104) puts before what it hashes."""
        secret = self.__secret
        if len(secret) > BLOCK_BYTES:
            secret = hashlib.sha256(secret).digest()
        block = secret.ljust(BLOCK_BYTES, b"\0")
        return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)

    def _mac(self, message: bytes) -> str:
        return hmac.new(self.__secret, message, "sha256").hexdigest()


def demonstration_key() -> Key:
    """The public key for invented registers: everybody has it, and nobody needs protection."""
    public = hashlib.sha256(b"register-workbench: persons who do not exist").digest()
    return Key(public, "the demonstration")


def find_key(
    *, outside: Sequence[Path], environment: Mapping[str, str] | None = None
) -> Key | None:
    """The user's key: of the environment, else of the file in the user's configuration folder.

    `outside` are folders the key must not lie in: the project and the store. Gives nothing when
    there is no key anywhere. Raises `KeyFault` when there is one that cannot be used.
    """
    given = os.environ if environment is None else environment
    file, text = given.get(KEY_FILE_VARIABLE), given.get(KEY_VARIABLE)
    if file and text:
        raise KeyFault(
            f"Both {KEY_FILE_VARIABLE} and {KEY_VARIABLE} are set, and only one can hold. Unset "
            "one of them."
        )
    if text == DEMONSTRATION:
        return demonstration_key()
    if text:
        where = f"the environment variable {KEY_VARIABLE}"
        return Key(_secret_of(text, where), where)
    if file:
        return read_key_file(Path(file).expanduser(), outside=outside)
    usual = default_key_file(given)
    return read_key_file(usual, outside=outside) if usual.exists() else None


def default_key_file(environment: Mapping[str, str] | None = None) -> Path:
    """Where the user's key lies if nothing else is said."""
    given = os.environ if environment is None else environment
    folder = given.get("XDG_CONFIG_HOME")
    return (Path(folder) if folder else Path.home() / ".config") / "register-workbench" / "key"


def read_key_file(path: Path, *, outside: Sequence[Path]) -> Key:
    """The key in a file; raise `KeyFault` when it lies wrong, is open to others or too short."""
    _refuse_inside(path, outside)
    try:
        # Not waiting, so that a pipe in the place of a file is found to be none.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as reason:
        raise KeyFault(
            f"The key file {path} cannot be read: {reason.strerror}. Make one with: workbench new "
            f"key {path}"
        ) from None
    try:
        # Asked of the open file, so that it cannot be another one by the time it is read.
        _refuse_open_to_others(path, os.fstat(handle))
        content = os.read(handle, LONGEST_FILE + 1)
    finally:
        os.close(handle)
    where = f"the key file {path}"
    if len(content) > LONGEST_FILE:
        raise KeyFault(f"{_capital(where)} is too long to be a key. Is it another file?")
    try:
        return Key(_secret_of(content.decode("ascii"), where), where)
    except UnicodeDecodeError:
        raise KeyFault(f"{_capital(where)} holds no key as text. Is it another file?") from None


def create_key(path: Path, *, outside: Sequence[Path]) -> None:
    """Write a new random key that only its owner can read; never over a file that is there."""
    _refuse_inside(path, outside)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Written whole under another name first: the link is made or it is not.
        handle, written = mkstemp(prefix=".key-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.write(secrets.token_hex(KEY_BYTES) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            Path(written).chmod(0o600)
            path.hardlink_to(written)
        finally:
            Path(written).unlink()
    except FileExistsError:
        raise KeyFault(
            f"{path} is there already and stays as it is: a key that was written over could never "
            "be had again. Choose another place."
        ) from None
    except OSError as reason:
        raise KeyFault(f"The key {path} cannot be written: {reason.strerror}.") from None


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for other processes, such as notebooks, that must not know the key."""
    keys = {KEY_VARIABLE, KEY_FILE_VARIABLE}
    return {name: value for name, value in environment.items() if name not in keys}


def _refuse_inside(path: Path, outside: Sequence[Path]) -> None:
    place = path.resolve()
    for folder in outside:
        if place.is_relative_to(folder.resolve()):
            raise KeyFault(
                f"The key file {path} lies in {folder}, with the data it protects; whoever gets a "
                f"copy of one would have both. Move it, for example to {default_key_file()}"
            )


def _refuse_open_to_others(path: Path, about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise KeyFault(f"The key file {path} is not a file.")
    if os.name != "posix":  # Windows keeps such rights elsewhere; a profile is its user's alone
        return
    if about.st_uid != os.geteuid():
        raise KeyFault(f"The key file {path} belongs to somebody else. Make a key of your own.")
    mode = stat.S_IMODE(about.st_mode)
    if mode & 0o077:
        raise KeyFault(
            f"The key file {path} can be used by others (its mode is {mode:04o}; expected 0600). "
            f"Close it: chmod 600 {path}\nIf others have read it already, the key is no secret "
            "any more: see docs/identity.md."
        )


def _secret_of(text: str, where: str) -> bytes:
    """The bytes of a key written as hexadecimal or base64 text."""
    plain = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        # An odd number of hexadecimal signs is a key cut short, and would be base64 by accident.
        if set(plain) <= set(hexdigits):
            secret = bytes.fromhex(plain)
        else:
            secret = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise KeyFault(
            f"{_capital(where)} holds no key: expected hexadecimal or base64 text. Make one with: "
            "workbench new key"
        ) from None
    if len(secret) < KEY_BYTES:
        raise KeyFault(
            f"The key of {where} is too short: {len(secret)} bytes; expected at least {KEY_BYTES}. "
            "Make one with: workbench new key"
        )
    if len(set(secret)) < FEWEST_DIFFERENT_BYTES:
        raise KeyFault(
            f"The key of {where} is not random: it repeats few bytes. Make one with: workbench new "
            "key"
        )
    return secret


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
