"""Whether compiled kernels are used: only where the data are large enough to pay for them."""

from __future__ import annotations

import os
from importlib.util import find_spec

FEWEST_ROWS = 20_000


def use_compiled(n_rows: int) -> bool:
    """Whether a calculation on so many rows should use a compiled kernel (numba).

    The first call of a kernel costs seconds, so small data never do. Results are the same without:
    the environment variable WORKBENCH_COMPILED=0 turns compiled kernels off everywhere.
    """
    if n_rows < FEWEST_ROWS or os.environ.get("WORKBENCH_COMPILED") == "0":
        return False
    return find_spec("numba") is not None
