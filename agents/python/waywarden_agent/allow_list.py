"""Where the chain may go.

A reader of the header can present it only as its holder, but it names users and agents: it is nobody's business
outside the mesh.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_HOST = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]"
_ENTRY = re.compile(rf"(\.?)({_HOST})(?::([0-9]{{1,5}}))?")
_SUFFIX = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.[a-z][a-z0-9-]*")
# Stricter than any client's parser: what two of them could read differently (`\`, `@`, spaces) leads nowhere.
_URL = re.compile(rf"(https?|wss?)://({_HOST})\.?(?::([0-9]{{1,5}}))?(?:[/?#][\x21-\x5b\x5d-\x7e]*)?", re.IGNORECASE)
_TARGET = re.compile(rf"(?:dns:(?://[^/]*/)?|ipv4:|ipv6:)?({_HOST})\.?(?::([0-9]{{1,5}}))?", re.IGNORECASE)


class AllowListError(ValueError):
    """An entry is not `host`, `host:port`, `.suffix` or `.suffix:port`."""


class Destination(NamedTuple):
    """A host and port as the rules compare them."""

    host: str
    port: int | None


class AllowList:
    """Answers one question: may the chain go to this destination?"""

    def __init__(self, entries: Iterable[str]) -> None:
        if isinstance(entries, str):
            raise AllowListError("allow: expected a list of entries, found a string")
        self._rules = [_parse_entry(entry) for entry in entries]

    def has(self, destination: Destination | None) -> bool:
        return destination is not None and any(
            (destination.host.endswith(host) if host.startswith(".") else destination.host == host)
            and port in (None, destination.port)
            for host, port in self._rules
        )


def destination_of_url(url: str) -> Destination | None:
    """Where a URL leads; `None` when nowhere we know for certain."""
    match = _URL.fullmatch(url)
    if match is None:
        return None
    scheme, host, port = match.groups()
    return to_destination(host, port or _DEFAULT_PORTS[scheme.lower()])


def destination_of_target(target: str) -> Destination | None:
    """Where a gRPC target leads; several addresses or a socket file are nowhere."""
    match = _TARGET.fullmatch(target)
    return None if match is None else to_destination(match[1], match[2] or 443)


def to_destination(host: str, port: int | str | None) -> Destination:
    name = host.lower().removesuffix(".")
    in_brackets = f"[{name}]" if ":" in name and not name.startswith("[") else name
    return Destination(in_brackets, None if port is None else int(port))


def _parse_entry(entry: str) -> Destination:
    match = _ENTRY.fullmatch(entry.lower())
    # A suffix of one label would be a whole top-level domain; one that ends in digits could match addresses.
    if match is None or (match[1] and _SUFFIX.fullmatch(match[2]) is None):
        raise AllowListError(f"allow: expected `host`, `host:port` or a `.suffix` of two labels or more, found `{entry}`")
    dot, host, port = match.groups()
    return Destination(dot + host, int(port) if port else None)
