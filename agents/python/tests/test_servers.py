import asyncio
import unittest
from collections.abc import Iterable, Iterator
from typing import Any

from waywarden_agent import ActorChain, current_chain

CHAIN = ActorChain(["insurance.svc"])


def start_response(*_: Any) -> None:
    pass


class WsgiTest(unittest.TestCase):
    def test_serves_a_request_for_its_chain(self) -> None:
        app = CHAIN.wsgi(lambda _environ, _start: [str(current_chain()).encode()])
        self.assertEqual(app({"HTTP_ACTOR_CHAIN": "clerk"}, start_response), [b"clerk"])
        self.assertEqual(app({}, start_response), [b"None"])
        self.assertIsNone(current_chain())

    def test_streams_each_body_for_its_chain_when_two_are_drawn_in_turn(self) -> None:
        closed = []

        def streaming(_environ: dict[str, Any], _start: Any) -> Iterator[bytes]:
            try:
                for _ in range(3):
                    yield str(current_chain()).encode()
            finally:
                closed.append(current_chain())

        app = CHAIN.wsgi(streaming)
        bodies: list[Any] = [app({"HTTP_ACTOR_CHAIN": user}, start_response) for user in ("clerk", "clinician")]
        self.assertEqual([next(iter(body)) for body in bodies * 2], [b"clerk", b"clinician"] * 2)
        for body in bodies:
            body.close()
        self.assertEqual(closed, ["clerk", "clinician"])

    def test_takes_another_header(self) -> None:
        app: Any = ActorChain([], header="x-chain").wsgi(lambda _environ, _start: [str(current_chain()).encode()])
        body: Iterable[bytes] = app({"HTTP_X_CHAIN": "clerk", "HTTP_ACTOR_CHAIN": "clinician"}, start_response)
        self.assertEqual(body, [b"clerk"])


class AsgiTest(unittest.TestCase):
    def test_serves_a_request_for_its_chain(self) -> None:
        self.assertEqual(self.served([(b"actor-chain", b"clerk")]), "clerk")
        self.assertEqual(self.served([(b"Actor-Chain", b"clerk")]), "clerk")
        self.assertIsNone(self.served([]))

    def test_passes_a_repeated_header_on_for_waywarden_to_refuse(self) -> None:
        self.assertEqual(self.served([(b"actor-chain", b"clerk"), (b"actor-chain", b"clinician")]), "clerk, clinician")

    def test_gives_a_lifespan_no_chain(self) -> None:
        self.assertIsNone(self.served(None))

    def served(self, headers: list[tuple[bytes, bytes]] | None) -> str | None:
        seen = []

        async def app(_scope: Any, _receive: Any, _send: Any) -> None:
            await asyncio.sleep(0)
            seen.append(current_chain())

        scope = {"type": "lifespan"} if headers is None else {"type": "http", "headers": headers}
        asyncio.run(CHAIN.asgi(app)(scope, None, None))  # type: ignore[arg-type]
        self.assertIsNone(current_chain())
        return seen[0]
