"""Functions that numba compiles to machine code, once: the code is kept beside the source.

Where neither that folder nor the user's cache can be written, nor one is named in
``NUMBA_CACHE_DIR``, every process compiles for itself, which takes it half a minute.

The code counts no references to arrays (``_nrt=False``): passing arrays from function to function
spends four fifths of the time on that otherwise. So a compiled function makes no arrays; all of them
are made, and held while it runs, by its caller in Python.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])

_COMPILE = cast("Callable[..., Any]", njit)
"""Its type does not tell of ``_nrt``."""


def compiled(function: Function) -> Function:
    """Return a function as machine code; it is compiled when it is first called."""
    try:
        return cast("Function", _COMPILE(cache=True, _nrt=False)(function))
    except RuntimeError:  # numba found nowhere to keep what it compiles
        return cast("Function", _COMPILE(_nrt=False)(function))
