"""Which language is spoken: that of the study whose report is being made."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TypeVar

from workbench.errors import StudyError

Language = Literal["en", "sv", "nb"]
LANGUAGES: tuple[Language, ...] = ("en", "sv", "nb")

_SPOKEN: ContextVar[Language] = ContextVar("language", default="en")
Class = TypeVar("Class", bound=type)


def current() -> Language:
    """The language that is spoken now: "en", "sv" or "nb"."""
    return _SPOKEN.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Write in a language for as long as the block lasts.

    Parameters
    ----------
    language
        "en", "sv" or "nb" (bokmål).

    Raises
    ------
    StudyError
        A language that there are no texts in.
    """
    known = next((one for one in LANGUAGES if one == language), None)
    if known is None:
        raise StudyError(
            f'language: "{language}" has no texts. Choose one of {", ".join(LANGUAGES)}.'
        )
    token = _SPOKEN.set(known)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def spoken(language_of: Callable[[Any], str]) -> Callable[[Class], Class]:
    """Make every public method and property of a class write in the language its object tells.

    A notebook calls a session's methods one cell at a time, and a cell may run in a context of its
    own; so the language is set by each call, not once::

        @spoken(lambda session: session.study.language)
        class Session: ...
    """

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def speak(self: Any, *args: Any, **kwargs: Any) -> Any:
            with speaking(language_of(self)):
                return method(self, *args, **kwargs)

        return speak

    def decorate(kind: Class) -> Class:
        for name in (one for one in dir(kind) if not one.startswith("_")):
            member = inspect.getattr_static(kind, name)
            if inspect.isfunction(member):
                setattr(kind, name, wrap(member))
            elif isinstance(member, property) and member.fget is not None:
                setattr(kind, name, property(wrap(member.fget), doc=member.__doc__))
        return kind

    return decorate
