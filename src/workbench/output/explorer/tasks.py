"""One query at a time, in a thread of its own; the newest choice wins.

A query belongs to a generation. A new choice makes a new generation and interrupts the engine;
what still comes of an older generation is dropped, so that the page never shows an answer to a
question that is no longer asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb

PATIENCE_SECONDS = 0.5


class Dropped(Exception):
    """The choice has changed since this query began."""


@dataclass(frozen=True)
class Ticket:
    """A query's place in line: it knows whether anybody still waits for it."""

    generation: int
    desk: Desk

    def still_wanted(self) -> None:
        """Raise `Dropped` once a newer query was asked or the desk is closed."""
        if self.generation != self.desk.generation:
            raise Dropped


class Desk:
    """Works out the newest of the queries it was asked, and drops the others."""

    def __init__(self, *, engine: Callable[[], Any], progress: Callable[[bool], None]) -> None:
        """Take what gives the engine at work, and what is told when a query takes long."""
        self.generation = 0
        self.n_dropped = 0
        self._engine, self._progress = engine, progress
        self._lock = threading.Condition()
        self._next: tuple[Ticket, Callable[[Ticket], None]] | None = None
        self._is_busy = False
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def ask(self, query: Callable[[Ticket], None]) -> Ticket:
        """Ask a query; the one that runs is interrupted and dropped."""
        with self._lock:
            self.generation += 1
            ticket = Ticket(self.generation, self)
            self._next = (ticket, query)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="explorer")
                self._thread.start()
            self._lock.notify_all()
            is_running = self._is_busy
        if is_running:
            self._interrupt()
        return ticket

    def wait(self, seconds: float = 60) -> bool:
        """Wait until nothing is asked any more; False when it takes longer."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._is_busy and self._next is None, seconds)

    def close(self) -> None:
        """Drop what runs and end the thread."""
        with self._lock:
            self.generation += 1
            self._next, self._is_closed = None, True
            self._lock.notify_all()
            thread = self._thread
        self._interrupt()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=30)

    def _work(self) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._next is not None or self._is_closed)
                if self._next is None:
                    return
                (ticket, query), self._next = self._next, None
                self._is_busy = True
            try:
                self._answer(ticket, query)
            finally:
                with self._lock:
                    self._is_busy = False
                    self._lock.notify_all()

    def _answer(self, ticket: Ticket, query: Callable[[Ticket], None]) -> None:
        """Work out one query; progress is told once it takes long, and that it is over."""
        timer = threading.Timer(PATIENCE_SECONDS, self._progress, args=(True,))
        timer.daemon = True
        timer.start()
        try:
            while not self._ends(ticket, query):
                pass
        except Dropped:
            self.n_dropped += 1
        finally:
            timer.cancel()
            timer.join()
            if ticket.generation == self.generation:
                self._progress(False)

    @staticmethod
    def _ends(ticket: Ticket, query: Callable[[Ticket], None]) -> bool:
        """Work out a query; False when it was hit by the interruption meant for the one before."""
        try:
            query(ticket)
        except duckdb.InterruptException:
            ticket.still_wanted()
            return False
        return True

    def _interrupt(self) -> None:
        engine = self._engine()
        if engine is not None:
            engine.con.interrupt()
