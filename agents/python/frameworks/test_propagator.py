import unittest

import httpx
import requests
from opentelemetry import context, propagate, trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from support import CALLS, USERS, Upstream, as_two_users, chain

from waywarden_agent import current_chain


class PropagatorTest(unittest.TestCase):
    """Runs with OTEL_PROPAGATORS=tracecontext,baggage,actor-chain and ACTOR_CHAIN_ALLOW=127.0.0.1."""

    def setUp(self) -> None:
        self.upstream = Upstream()
        self.addCleanup(self.upstream.close)

    def instrument(self, provider: TracerProvider) -> None:
        for instrumentor in (HTTPXClientInstrumentor(), RequestsInstrumentor()):
            instrumentor.instrument(tracer_provider=provider)
            self.addCleanup(instrumentor.uninstrument)

    def serving(self, user: str | None, work) -> None:
        token = context.attach(propagate.extract({} if user is None else {"actor-chain": user}))
        try:
            work()
        finally:
            context.detach(token)

    def test_is_found_by_its_name(self) -> None:
        self.assertLessEqual({"traceparent", "baggage", "actor-chain"}, propagate.get_global_textmap().fields)

    def test_sends_the_chain_to_listed_hosts_only(self) -> None:
        self.instrument(TracerProvider())
        http, session = httpx.Client(follow_redirects=True), chain.requests_session(requests.Session())

        def calls() -> None:
            user = current_chain()
            for get in (http.get, session.get):
                self.assertEqual(get(self.upstream.listed).text, user)
                self.assertEqual(get(self.upstream.unlisted).text, "none")
                self.assertEqual(get(f"{self.upstream.listed}?to={self.upstream.unlisted}").text, "none")
                self.assertEqual(get(f"{self.upstream.unlisted}?to={self.upstream.listed}").text, user)

        as_two_users(lambda user: self.serving(user, calls), CALLS // 8)
        self.assertEqual(self.upstream.leaked(), 0)

    def test_takes_the_chain_along_where_redirects_share_one_span(self) -> None:
        """The pitfall that the README names: if the instrumentation changes this, the README may say less."""
        self.instrument(TracerProvider())
        url = f"{self.upstream.listed}?to={self.upstream.unlisted}"
        self.serving(USERS[0], lambda: self.assertEqual(requests.get(url).text, USERS[0]))
        self.serving(USERS[0], lambda: self.assertEqual(requests.get(url, allow_redirects=False).status_code, 302))

    def test_lends_a_request_without_a_chain_nothing(self) -> None:
        self.instrument(TracerProvider())
        get = lambda: self.assertEqual(httpx.get(self.upstream.listed).text, "none")  # noqa: E731
        self.serving(USERS[0], lambda: self.serving(None, get))

    def test_sends_nothing_where_no_span_is_recorded(self) -> None:
        self.instrument(TracerProvider(sampler=ALWAYS_OFF))
        self.serving(USERS[0], lambda: self.assertEqual(httpx.get(self.upstream.listed).text, "none"))
        self.assertFalse(trace.get_current_span().is_recording())
