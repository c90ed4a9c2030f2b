"""Fictitious registers with known truth: linked, as delivered, deterministic in their seed.

Nobody in them exists. What is invented, by which laws, and what is not realistic is told in
docs/invented-registers.md.
"""

from workbench.data.invent.inventing import Invented, invent_registers

__all__ = ["Invented", "invent_registers"]
