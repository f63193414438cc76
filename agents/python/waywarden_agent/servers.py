"""Middleware for WSGI and ASGI: what serves a request runs for its chain, and for nobody when it came without one."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextvars import Context, copy_context
from typing import Any

from waywarden_agent.current import running_for

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
AsgiApp = Callable[[MutableMapping[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]


def wsgi(app: WsgiApp, header: str) -> WsgiApp:
    key = "HTTP_" + header.upper().replace("-", "_")

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with running_for(environ.get(key)):
            context = copy_context()
        body = context.run(app, environ, start_response)
        return body if isinstance(body, (list, tuple)) else _Body(context, body)

    return serve


def asgi(app: AsgiApp, header: str) -> AsgiApp:
    key = header.encode("latin-1")

    async def serve(
        scope: MutableMapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        values = [value for name, value in scope.get("headers", ()) if name.lower() == key]
        with running_for(b", ".join(values).decode("latin-1") if values else None):
            await app(scope, receive, send)

    return serve


class _Body:
    """A streamed body: the server draws it after the application has returned."""

    def __init__(self, context: Context, body: Iterable[bytes]) -> None:
        self._context = context
        self._body = body
        self._iterator = context.run(iter, body)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._context.run(next, self._iterator)

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            self._context.run(close)
