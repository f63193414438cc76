"""A server that remembers what it was sent, and the recipes of agents/README.md as modules."""

import asyncio
import os
import re
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from waywarden_agent import ActorChain, running_for

README = Path(os.environ["ACTOR_CHAIN_README"]).read_text(encoding="utf-8")
USERS = ("clerk", "clinician")
CALLS = 1000

# `localhost` is the same machine by a name that is not listed.
chain = ActorChain(allow=["127.0.0.1"])


def recipe(name: str) -> SimpleNamespace:
    """Runs the README's Python block of that name, with `chain` at hand, as an agent's module would."""
    match = re.search(rf"^```python recipe={name}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    if match is None:
        raise LookupError(f"README: expected a Python recipe `{name}`")
    names: dict[str, Any] = {"chain": chain, "__name__": f"recipe_{name}"}
    exec(compile(match[1], f"README.md#{name}", "exec"), names)
    return SimpleNamespace(**names)


class Upstream:
    """Echoes the chain, redirects `/?to=URL`, and counts what came by which host name."""

    def __init__(self) -> None:
        seen = self.seen = Counter[tuple[str, str]]()
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                to = parse_qs(urlsplit(self.path).query).get("to")
                value = self.headers.get("actor-chain", "none")
                with lock:
                    seen[self.headers["host"].split(":")[0], value] += 1
                body = value.encode()
                self.send_response(200 if to is None else 302)
                if to is not None:
                    self.send_header("location", to[0])
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 512

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.listed = f"http://127.0.0.1:{self._server.server_port}/"
        self.unlisted = f"http://localhost:{self._server.server_port}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def leaked(self) -> int:
        return sum(count for (host, value), count in self.seen.items() if host == "localhost" and value != "none")


def as_two_users(work: Callable[[str], Any], times: int, threads: int = 16) -> None:
    """Runs `work(user)` that often, for both users in turn, many at a time."""

    def serve(index: int) -> None:
        user = USERS[index % 2]
        with running_for(user):
            work(user)

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(serve, index) for index in range(times)]:
            done.result()


async def as_two_users_async(work: Callable[[str], Any], times: int, at_once: int = 16) -> None:
    gate = asyncio.Semaphore(at_once)

    async def serve(index: int) -> None:
        user = USERS[index % 2]
        async with gate:
            with running_for(user):
                await work(user)

    async with asyncio.TaskGroup() as group:
        for index in range(times):
            group.create_task(serve(index))
