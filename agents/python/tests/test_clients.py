import asyncio
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from waywarden_agent import ActorChain, running_for

# `localhost` is the same machine by a name that is not listed.
CHAIN = ActorChain(["127.0.0.1"])
URLS = [("http://127.0.0.1/", "clerk"), ("http://a.com/", None), ("http://a.com\\@127.0.0.1/", None)]


class RedirectOrEcho(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        to = parse_qs(urlsplit(self.path).query).get("to")
        body = self.headers.get("actor-chain", "none").encode()
        self.send_response(200 if to is None else 302)
        if to is not None:
            self.send_header("location", to[0])
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class UrllibTest(unittest.TestCase):
    def test_decides_every_hop_of_a_redirect_anew(self) -> None:
        server = ThreadingHTTPServer(("127.0.0.1", 0), RedirectOrEcho)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        listed, unlisted = (f"http://{host}:{server.server_port}" for host in ("127.0.0.1", "localhost"))
        opener = build_opener(ProxyHandler({}), CHAIN.urllib_handler())
        cases = [(listed, listed, "clerk"), (listed, unlisted, "none"), (unlisted, listed, "clerk")]
        for first, second, want in [*cases, (unlisted, unlisted, "none")]:
            with self.subTest(f"{first} -> {second}"), running_for("clerk"):
                request = Request(f"{first}/?to={second}/", headers={"actor-chain": "old"})
                with opener.open(request, timeout=5) as response:
                    self.assertEqual(response.read().decode(), want)


class HookTest(unittest.TestCase):
    def test_httpx_hooks_replace_or_remove_the_chain(self) -> None:
        for url, want in URLS:
            for hook in (CHAIN.httpx_hook, lambda request: asyncio.run(CHAIN.httpx_async_hook(request))):
                request = SimpleNamespace(url=url, headers={"actor-chain": "old"})
                with self.subTest(url), running_for("clerk"):
                    hook(request)
                    self.assertEqual(request.headers.get("actor-chain"), want)

    def test_a_requests_session_replaces_or_removes_the_chain(self) -> None:
        session = CHAIN.requests_session(SimpleNamespace(send=lambda request, **_: request.headers.get("actor-chain")))
        for url, want in URLS:
            request = SimpleNamespace(url=url, headers={"actor-chain": "old"})
            with self.subTest(url), running_for("clerk"):
                self.assertEqual(session.send(request, allow_redirects=False), want)
