"""The way onto requests of the standard library's `urllib.request`."""

from collections.abc import Callable
from urllib.request import BaseHandler, Request


class UrllibHandler(BaseHandler):
    # After the handlers that a redirect's new request passes first.
    handler_order = 900

    def __init__(self, header: str, chain_for: Callable[[str], str | None]) -> None:
        self._header = header.capitalize()
        self._chain_for = chain_for

    def http_request(self, request: Request) -> Request:
        request.remove_header(self._header)
        chain = self._chain_for(request.full_url)
        if chain is not None:
            request.add_unredirected_header(self._header, chain)
        return request

    https_request = http_request
