import asyncio
import socket
import threading
import unittest
from collections import Counter
from typing import Any

import uvicorn
from mcp.server.fastmcp import Context, FastMCP
from support import CALLS, as_two_users_async, recipe

from waywarden_agent import running_for


class McpServer:
    """An MCP server whose tool says with which chain it was called."""

    def __init__(self) -> None:
        mcp = FastMCP("insurance", stateless_http=True, json_response=True, log_level="WARNING")

        @mcp.tool()
        def coverage(context: Context) -> str:
            request: Any = context.request_context.request
            return request.headers.get("actor-chain", "none")

        app = mcp.streamable_http_app()
        seen = self.seen = Counter[tuple[str, str]]()

        async def recording(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                headers = dict(scope["headers"])
                host = headers[b"host"].split(b":")[0].decode()
                seen[host, headers.get(b"actor-chain", b"none").decode()] += 1
            await app(scope, receive, send)

        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self._server = uvicorn.Server(uvicorn.Config(recording, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()


class McpTest(unittest.TestCase):
    def setUp(self) -> None:
        self.server = McpServer()
        self.addCleanup(self.server.close)
        self.session = recipe("mcp").mcp_session

    def url(self, host: str) -> str:
        return f"http://{host}:{self.server.port}/mcp"

    def test_a_session_for_each_request_served(self) -> None:
        async def call(host: str, user: str, times: int) -> None:
            async with self.session(self.url(host)) as session:
                answers = await asyncio.gather(*(session.call_tool("coverage", {}) for _ in range(times)))
            self.assertEqual([answer.content[0].text for answer in answers], [user] * times)

        asyncio.run(as_two_users_async(lambda user: call("127.0.0.1", user, 10), CALLS // 10))
        asyncio.run(as_two_users_async(lambda _: call("localhost", "none", 1), 20))
        self.assertNotIn("none", [value for host, value in self.server.seen if host == "127.0.0.1"])
        self.assertEqual({value for host, value in self.server.seen if host == "localhost"}, {"none"})

    def test_a_session_sends_the_chain_of_the_request_that_opened_it(self) -> None:
        """The pitfall that the README names: if the SDK changes this, the README may say less."""

        async def shared() -> str:
            with running_for("clerk"):
                opened = self.session(self.url("127.0.0.1"))
                session = await opened.__aenter__()
            with running_for("clinician"):
                answer = await session.call_tool("coverage", {})
            await opened.__aexit__(None, None, None)
            return answer.content[0].text

        self.assertEqual(asyncio.run(shared()), "clerk")
