"""What carrying out any request takes: the state, its commit, faults, and what Idempotency-Keys remember."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.stripe.errors import StripeError
from sandbox.stripe.replies import Reply, Request, other_parameters
from sandbox.stripe.state import Answer, State


@dataclass(slots=True)
class Desk:
    """Where requests are worked on, ordinary ones and meter events alike."""

    state: State
    journal: Journal
    faults: Faults
    lanes: set[tuple[str, str]] = field(default_factory=set)  # (customer, meter) with a call under way
    keys: set[str] = field(default_factory=set)  # Idempotency-Keys under way

    async def dawdle(self, request: Request) -> None:
        """The fault `slow`: the request is under way so long, and holds its key and lane."""
        slow = self.faults.strike("slow", request.path)
        if slow is not None:
            await asyncio.sleep(slow.delay_ms / 1000)

    def remembered(self, key: str, request: Request) -> Reply | None:
        """The first answer to this Idempotency-Key; refusals where it is under way or came with other parameters."""
        if len(key) > 255:
            raise StripeError(400, "Idempotency keys may be at most 255 characters long.", type_="idempotency_error")
        if key in self.keys:
            raise StripeError(
                409,
                "There is currently another in-progress request using this Stripe-Idempotent key (that probably means "
                "you submitted twice, and the other request is still going through).",
                type_="idempotency_error",
                code="idempotency_key_in_use",
            )
        answer = self.state.answers.get(key)
        if answer is None or self.state.account_now - answer.at >= 86_400:
            return None
        if answer.fingerprint != request.fingerprint:
            raise other_parameters(key)
        return Reply(answer.status, answer.body, {"Idempotent-Replayed": "true"})

    async def remember(self, request: Request, reply: Reply) -> Reply:
        """Keep the answer under the request's Idempotency-Key, and return once all is committed."""
        if request.key is not None and request.method == "POST":
            answer = Answer(request.fingerprint, reply.status, reply.body, self.state.account_now)
            self.state.keep_answer(request.key, answer)
        if self.state.is_dirty:
            await self.journal.committed()
        return reply
