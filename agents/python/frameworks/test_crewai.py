import asyncio
import json
import unittest
from typing import Any

from crewai import Agent, Crew, Task
from crewai.llms.base_llm import BaseLLM
from support import CALLS, Upstream, as_two_users, as_two_users_async, recipe


class ScriptedLLM(BaseLLM):
    """Calls the tool with the URL that the task names, then answers with what the tool said."""

    def call(self, messages: Any, *_: Any, **__: Any) -> str:
        text = messages if isinstance(messages, str) else "\n".join(str(each["content"]) for each in messages)
        if "Observation:" not in text.rsplit("URL=", 1)[-1]:
            url = text.rsplit("URL=", 1)[-1].split()[0]
            return f"Thought: ask\nAction: coverage\nAction Input: {json.dumps({'url': url})}"
        return f"Thought: done\nFinal Answer: {text.rsplit('Observation:', 1)[-1].split()[0]}"

    async def acall(self, *args: Any, **kwargs: Any) -> str:
        return self.call(*args, **kwargs)

    def supports_function_calling(self) -> bool:
        return False

    def get_input_tokens_count(self, *_: Any, **__: Any) -> int:
        return 1


class CrewAITest(unittest.TestCase):
    """Each crew runs three tasks in parallel and one after them, every one with a tool call of its own."""

    def setUp(self) -> None:
        self.upstream = Upstream()
        self.addCleanup(self.upstream.close)
        self.tool = recipe("crewai").coverage
        # An equal call is answered from the crew's cache.
        self.tool.cache_function = lambda *_: False

    def crew(self) -> Crew:
        urls = [self.upstream.listed] * 2 + [self.upstream.unlisted, self.upstream.listed]
        llm = ScriptedLLM(model="scripted")
        agents = [Agent(role=str(index), goal="g", backstory="b", llm=llm, tools=[self.tool]) for index in range(4)]
        tasks = [
            Task(description=f"URL={url}", expected_output="text", agent=agents[index], async_execution=index < 3)
            for index, url in enumerate(urls)
        ]
        return Crew(agents=agents, tasks=tasks, cache=False)

    def check(self, user: str, output: Any) -> None:
        self.assertEqual([task.raw for task in output.tasks_output], [user, user, "none", user])

    def test_kickoff(self) -> None:
        as_two_users(lambda user: self.check(user, self.crew().kickoff()), CALLS // 8, threads=4)
        self.assertEqual([self.upstream.seen.total(), self.upstream.leaked()], [CALLS // 2, 0])

    def test_kickoff_async(self) -> None:
        async def call(user: str) -> None:
            self.check(user, await self.crew().kickoff_async())

        asyncio.run(as_two_users_async(call, CALLS // 8, at_once=4))
        self.assertEqual([self.upstream.seen.total(), self.upstream.leaked()], [CALLS // 2, 0])
