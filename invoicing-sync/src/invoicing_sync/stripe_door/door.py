"""The Stripe door as the rest of the service sees it."""

from __future__ import annotations

from invoicing_sync.stripe_door.catalogue import Catalogue
from invoicing_sync.stripe_door.client import Client, Pace
from invoicing_sync.stripe_door.credit_notes import CreditNotes
from invoicing_sync.stripe_door.invoice_items import InvoiceItems
from invoicing_sync.stripe_door.invoices import Invoices
from invoicing_sync.stripe_door.notices import Notices
from invoicing_sync.stripe_door.secrets import ApiKeys
from invoicing_sync.stripe_door.state import State
from invoicing_sync.stripe_door.usage import Usage


class StripeDoor:
    """All that can be asked of Stripe, by resource."""

    def __init__(self, keys: ApiKeys, *, base_url: str | None, pace: Pace) -> None:
        self.client = Client(keys, base_url=base_url, pace=pace)
        self.usage = Usage(self.client)
        self.catalogue = Catalogue(self.client)
        self.invoices = Invoices(self.client)
        self.invoice_items = InvoiceItems(self.client)
        self.credit_notes = CreditNotes(self.client)
        self.notices = Notices(self.client)
        self.state = State(self.client)

    def share(self, instances: int) -> None:
        """Take this instance's part of the account's rates."""
        pace = self.client.pace
        self.client.calls.rate = pace.calls_per_second / instances
        self.client.meter_events.rate = pace.meter_events_per_second / instances

    async def open(self) -> None:
        """Make the connection pool."""
        await self.client.open()

    async def close(self) -> None:
        """Close the connection pool."""
        await self.client.close()
