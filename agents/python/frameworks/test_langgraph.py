import asyncio
import unittest
from typing import Any

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from support import CALLS, Upstream, as_two_users, as_two_users_async, recipe


class LangGraphTest(unittest.TestCase):
    """Each run calls four tools in parallel: three listed destinations and one unlisted."""

    def setUp(self) -> None:
        self.upstream = Upstream()
        self.addCleanup(self.upstream.close)
        urls = [self.upstream.listed] * 3 + [self.upstream.unlisted]
        calls = [{"name": "coverage", "args": {"url": url}, "id": str(index)} for index, url in enumerate(urls)]

        def model(_state: MessagesState) -> dict[str, Any]:
            fake = GenericFakeChatModel(messages=iter([AIMessage("", tool_calls=calls)]))
            return {"messages": [fake.invoke("go")]}

        graph = StateGraph(MessagesState)
        graph.add_node("model", model)
        graph.add_node("tools", recipe("langgraph").tools)
        graph.add_edge(START, "model")
        graph.add_edge("model", "tools")
        graph.add_edge("tools", END)
        self.graph = graph.compile()

    def check(self, user: str, result: dict[str, Any]) -> None:
        answers = [message.content for message in result["messages"] if message.type == "tool"]
        self.assertEqual(answers, [user] * 3 + ["none"])

    def test_invoke(self) -> None:
        as_two_users(lambda user: self.check(user, self.graph.invoke({"messages": []})), CALLS // 4)
        self.assertEqual([self.upstream.seen.total(), self.upstream.leaked()], [CALLS, 0])

    def test_ainvoke(self) -> None:
        async def call(user: str) -> None:
            self.check(user, await self.graph.ainvoke({"messages": []}))

        asyncio.run(as_two_users_async(call, CALLS // 4))
        self.assertEqual([self.upstream.seen.total(), self.upstream.leaked()], [CALLS, 0])
