"""The chain of the request being served, and its way onto outgoing requests."""

from collections.abc import Iterable, Mapping
from typing import Any

from waywarden_agent import servers
from waywarden_agent.allow_list import AllowList, Destination, destination_of_target, destination_of_url
from waywarden_agent.current import current_chain
from waywarden_agent.urllib_handler import UrllibHandler


class ActorChain:
    """Keeps the chain of the request being served and puts it on outgoing requests, to listed destinations only."""

    def __init__(self, allow: Iterable[str], header: str = "actor-chain") -> None:
        self.header = header
        self._allow_list = AllowList(allow)

    def wsgi(self, app: servers.WsgiApp) -> servers.WsgiApp:
        return servers.wsgi(app, self.header)

    def asgi(self, app: servers.AsgiApp) -> servers.AsgiApp:
        return servers.asgi(app, self.header)

    def headers_for(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, str]:
        """Headers for one request to this URL, without redirects; a chain among `headers` is replaced or removed."""
        chain = self._chain_for(destination_of_url(url))
        others = {name: value for name, value in (headers or {}).items() if name.lower() != self.header}
        return others if chain is None else {**others, self.header: chain}

    def metadata_for(self, target: str, metadata: Iterable[tuple[str, Any]] | None = None) -> list[tuple[str, Any]]:
        """gRPC metadata for one call on a channel to this target."""
        chain = self._chain_for(destination_of_target(target))
        others = [(name, value) for name, value in metadata or () if name.lower() != self.header]
        return others if chain is None else [*others, (self.header, chain)]

    def httpx_hook(self, request: Any) -> None:
        """`httpx.Client(event_hooks={"request": [chain.httpx_hook]})`; httpx calls it for every hop of a redirect."""
        self._stamp(request.headers, str(request.url))

    async def httpx_async_hook(self, request: Any) -> None:
        """The same for `httpx.AsyncClient`."""
        self._stamp(request.headers, str(request.url))

    def requests_session(self, session: Any) -> Any:
        """Makes a `requests.Session` forward the chain; it calls `send` for every hop of a redirect."""
        send = session.send

        def send_with_chain(request: Any, **options: Any) -> Any:
            self._stamp(request.headers, request.url)
            return send(request, **options)

        session.send = send_with_chain
        return session

    def urllib_handler(self) -> UrllibHandler:
        """`urllib.request.build_opener(chain.urllib_handler())`; urllib calls it for every hop of a redirect."""
        return UrllibHandler(self.header, lambda url: self._chain_for(destination_of_url(url)))

    def _chain_for(self, destination: Destination | None) -> str | None:
        return current_chain() if self._allow_list.has(destination) else None

    def _stamp(self, headers: Any, url: str) -> None:
        chain = self._chain_for(destination_of_url(url))
        headers.pop(self.header, None)
        if chain is not None:
            headers[self.header] = chain
