"""An OpenTelemetry propagator: `OTEL_PROPAGATORS=tracecontext,baggage,actor-chain`.

The interface does not tell where a request goes, so the propagator reads that from the client span, and sends nothing
when there is none to read: see the README. OpenTelemetry loads this module; nothing else here needs it.
"""

import os
from collections.abc import Iterable
from typing import Any

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.propagators.textmap import DefaultGetter, DefaultSetter, TextMapPropagator

from waywarden_agent.allow_list import AllowList, Destination, destination_of_url, to_destination
from waywarden_agent.current import current_chain

_CHAIN = contexts.create_key("actor-chain")


class ActorChainPropagator(TextMapPropagator):
    """Made by OpenTelemetry without arguments: the allow-list is `ACTOR_CHAIN_ALLOW`, split at commas."""

    def __init__(self, allow: Iterable[str] | None = None, header: str = "actor-chain") -> None:
        configured = os.environ.get("ACTOR_CHAIN_ALLOW", "").replace(" ", "")
        self._allow_list = AllowList(filter(None, configured.split(",")) if allow is None else allow)
        self._header = header

    @property
    def fields(self) -> set[str]:
        return {self._header}

    def extract(self, carrier: Any, context: Any = None, getter: Any = DefaultGetter()) -> Any:
        values = getter.get(carrier, self._header)
        # Always set: a request without a chain must not inherit that of the context around it.
        return contexts.set_value(_CHAIN, (", ".join(values) if values else None,), context)

    def inject(self, carrier: Any, context: Any = None, setter: Any = DefaultSetter()) -> None:
        extracted = contexts.get_value(_CHAIN, context)
        chain = extracted[0] if isinstance(extracted, tuple) else current_chain()
        destinations = _destinations_of(trace.get_current_span(context))
        if not destinations:
            return
        if chain is not None and all(map(self._allow_list.has, destinations)):
            setter.set(carrier, self._header, chain)
        # What an earlier hop of a redirect put there.
        elif hasattr(carrier, "pop"):
            carrier.pop(self._header, None)


def _destinations_of(span: Any) -> list[Destination | None]:
    """What a recording client span says about where its request goes, by old and new semantic conventions."""
    if getattr(span, "kind", None) is not trace.SpanKind.CLIENT:
        return []
    attributes = span.attributes or {}
    urls = [attributes[name] for name in ("url.full", "http.url") if name in attributes]
    if urls:
        return [destination_of_url(str(url)) for url in urls]
    host = attributes.get("server.address", attributes.get("net.peer.name"))
    port = attributes.get("server.port", attributes.get("net.peer.port"))
    return [to_destination(host, port)] if isinstance(host, str) else []
