"""Every state the explorer was in: undo, redo, reset."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workbench.output.explorer.state import State

MOST = 200  # states that can be undone


@dataclass(frozen=True)
class History:
    """The states before the present one and those undone; a value that never changes."""

    first: State
    now: State
    before: tuple[State, ...] = ()
    undone: tuple[State, ...] = ()

    @classmethod
    def begin(cls, state: State) -> History:
        """A history that starts with a state."""
        return cls(state, state)

    def to(self, state: State) -> History:
        """Go on to a state; what was undone is gone. The same state again changes nothing."""
        if state == self.now:
            return self
        before = (*self.before, self.now)[-MOST:]
        return replace(self, now=state, before=before, undone=())

    def undo(self) -> History:
        """Back to the state before, if there is one."""
        if not self.before:
            return self
        *before, last = self.before
        return replace(self, now=last, before=tuple(before), undone=(*self.undone, self.now))

    def redo(self) -> History:
        """Forward to the state undone last, if there is one."""
        if not self.undone:
            return self
        *undone, last = self.undone
        return replace(self, now=last, before=(*self.before, self.now), undone=tuple(undone))

    def reset(self) -> History:
        """Back to the state it began with, which can be undone too."""
        return self.to(self.first)
