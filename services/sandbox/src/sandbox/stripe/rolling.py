"""Rolling an endpoint's signing secret, as Stripe's Dashboard does it and its API cannot: for a while both sign."""

from __future__ import annotations

import secrets

from sandbox.stripe.state import Body, State

KINDS = ("webhook_endpoint", "v2.core.event_destination")


def roll(state: State, url: str, *, expires_at: float) -> list[str]:
    """
    Give each endpoint of a URL a new secret and return them; the old ones sign too until `expires_at`.

    `expires_at` is real time in unix seconds, as signatures are.
    """
    made = []
    for body in (body for kind in KINDS for body in state.all(kind) if not body.get("deleted")):
        holder = body.get("webhook_endpoint") or body
        if holder["url"] != url:
            continue
        name = "signing_secret" if "signing_secret" in holder else "secret"
        old, holder[name] = holder[name], f"whsec_{secrets.token_hex(24)}"
        body["_rolled"] = {"secret": old, "expires_at": expires_at}
        state.put(body)
        made.append(holder[name])
    return made


def signers(body: Body, secret: str, now: float) -> list[str]:
    """The secrets that sign now: the endpoint's own, and its last one while that has not expired."""
    rolled = body.get("_rolled")
    return [secret, rolled["secret"]] if rolled and now < rolled["expires_at"] else [secret]
