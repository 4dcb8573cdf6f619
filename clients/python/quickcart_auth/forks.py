"""After a fork: a child has none of its parent's threads and shares its sockets."""

import os
import weakref
from typing import Protocol


class Forgetful(Protocol):
    """Something that lets go of what only the parent may use."""

    def after_fork(self) -> None:
        """Forget locks, threads and connections."""
        ...


_known: weakref.WeakSet[Forgetful] = weakref.WeakSet()


def reset_after_fork(it: Forgetful) -> None:
    """Have ``it.after_fork`` called in every child, as long as it lives."""
    _known.add(it)


def _reset() -> None:
    for it in list(_known):
        it.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset)
