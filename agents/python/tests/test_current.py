import asyncio
import unittest
from concurrent.futures import ThreadPoolExecutor

from waywarden_agent import ActorChain, carry_chain, current_chain, running_for


class CurrentTest(unittest.TestCase):
    def test_knows_no_chain_outside_a_request(self) -> None:
        self.assertIsNone(current_chain())

    def test_runs_a_block_for_nobody(self) -> None:
        with running_for("clerk"), running_for(None):
            self.assertIsNone(current_chain())

    def test_replaces_a_chain_among_the_headers_however_written(self) -> None:
        chain = ActorChain(["insurance.svc"])
        headers = {"Actor-Chain": "old", "accept": "text/plain"}
        with running_for("new"):
            self.assertEqual(
                chain.headers_for("http://insurance.svc", headers), {"accept": "text/plain", "actor-chain": "new"}
            )
            self.assertEqual(chain.headers_for("http://a.com", headers), {"accept": "text/plain"})

    def test_a_thread_pool_loses_the_chain_unless_it_is_carried(self) -> None:
        with ThreadPoolExecutor(1) as pool, running_for("clerk"):
            self.assertIsNone(pool.submit(current_chain).result())
            self.assertEqual(pool.submit(carry_chain(current_chain)).result(), "clerk")
            self.assertIsNone(pool.submit(current_chain).result())

    def test_mixes_none_of_1000_interleaved_tasks_of_two_users(self) -> None:
        async def call(user: str) -> str | None:
            with running_for(user):
                await asyncio.sleep(0)
                in_thread = await asyncio.to_thread(current_chain)
                return in_thread if in_thread == current_chain() else "mixed"

        async def all_calls(users: list[str]) -> list[str | None]:
            return await asyncio.gather(*map(call, users))

        users = ["clerk", "clinician"] * 500
        self.assertEqual(asyncio.run(all_calls(users)), users)
