import asyncio
import unittest
from concurrent import futures

import grpc
from support import CALLS, Upstream, as_two_users, as_two_users_async, recipe

from waywarden_agent import current_chain, running_for


class ClientsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.upstream = Upstream()
        self.addCleanup(self.upstream.close)

    def redirects(self, get) -> None:
        listed, unlisted = self.upstream.listed, self.upstream.unlisted
        for first, second, want in [
            (listed, listed, "clerk"),
            (listed, unlisted, "none"),
            (unlisted, listed, "clerk"),
            (unlisted, unlisted, "none"),
        ]:
            with self.subTest(f"{first} -> {second}"), running_for("clerk"):
                self.assertEqual(get(f"{first}?to={second}"), want)

    def interleaved(self, get) -> None:
        as_two_users(lambda user: self.assertEqual(get(self.upstream.listed), user), CALLS // 2)
        as_two_users(lambda _: self.assertEqual(get(self.upstream.unlisted), "none"), CALLS // 2)
        self.assertEqual(self.upstream.leaked(), 0)

    def test_httpx(self) -> None:
        http = recipe("httpx").http
        self.redirects(lambda url: http.get(url, follow_redirects=True).text)
        self.interleaved(lambda url: http.get(url).text)

    def test_httpx_async(self) -> None:
        async def all_calls() -> None:
            http = recipe("httpx").async_http

            async def call(user: str) -> None:
                answers = await asyncio.gather(http.get(self.upstream.listed), http.get(self.upstream.unlisted))
                self.assertEqual([answer.text for answer in answers], [user, "none"])

            await as_two_users_async(call, CALLS // 2)
            await http.aclose()

        asyncio.run(all_calls())
        self.assertEqual(self.upstream.leaked(), 0)

    def test_requests(self) -> None:
        session = recipe("requests").session
        self.redirects(lambda url: session.get(url).text)
        self.interleaved(lambda url: session.get(url).text)

    def test_urllib(self) -> None:
        opener = recipe("urllib").opener
        self.redirects(lambda url: opener.open(url).read().decode())
        self.interleaved(lambda url: opener.open(url).read().decode())
        with running_for("clerk"):
            headers = recipe("urllib").headers(self.upstream.listed)
        self.assertEqual(headers, {"accept": "application/json", "actor-chain": "clerk"})

    def test_grpc(self) -> None:
        def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
            return dict(context.invocation_metadata()).get("actor-chain", "none").encode()

        server = grpc.server(futures.ThreadPoolExecutor(8))
        handler = grpc.unary_unary_rpc_method_handler(answer)
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("Insurance", {"Coverage": handler})])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(server.stop, None)
        ask = recipe("grpc").ask
        for host, want in (("127.0.0.1", current_chain), ("localhost", lambda: "none")):
            target = f"{host}:{port}"
            with grpc.insecure_channel(target) as channel:
                as_two_users(
                    lambda _: self.assertEqual(ask(channel, target, "/Insurance/Coverage", b"").decode(), want()),
                    CALLS // 2,
                )
