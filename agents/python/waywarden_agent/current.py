"""The chain of the request being served."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_chain: ContextVar[str | None] = ContextVar("actor_chain", default=None)


def current_chain() -> str | None:
    """The chain of the request being served; `None` when it came without one, or when none is being served."""
    return _chain.get()


@contextmanager
def running_for(chain: str | None) -> Iterator[None]:
    """Runs a block for the given chain; `None` runs it for nobody."""
    token = _chain.set(chain)
    try:
        yield
    finally:
        _chain.reset(token)


def carry_chain(work: Callable[P, R]) -> Callable[P, R]:
    """Binds a function that a thread or a pool calls later to the chain of now."""
    chain = current_chain()

    @wraps(work)
    def carried(*args: P.args, **kwargs: P.kwargs) -> R:
        with running_for(chain):
            return work(*args, **kwargs)

    return carried
