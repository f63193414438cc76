"""Forwards the actor-chain header of the request being served, to listed destinations only."""

from waywarden_agent.actor_chain import ActorChain
from waywarden_agent.allow_list import AllowListError
from waywarden_agent.current import carry_chain, current_chain, running_for

__all__ = ["ActorChain", "AllowListError", "carry_chain", "current_chain", "running_for"]
