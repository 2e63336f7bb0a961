"""What an applied contract says, of whichever version, in the words that the rest of this service asks in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

import pricing.agreed
import pricing.terms as engine
from event_schemas.contract_v2 import AnyContract, ContractV2, as_of, billing_at
from event_schemas.contracts import Contract
from event_schemas.times import Period
from event_schemas.values import Currency
from invoicing_sync.contracts.convert import terms_of
from invoicing_sync.contracts.domain.plan.at_stripe import MADE_TO_SEND, Method
from invoicing_sync.invoices.domain.engine import LICENSED, METERED, engine_terms


@dataclass(frozen=True, slots=True)
class Paying:
    """Whom to bill, and how; `days` until a sent invoice is due."""

    name: str
    email: str | None
    method: Method
    days: int
    issuer: str
    stripe_customer: str | None

    def lacks_address(self, *, to_be_made: bool) -> bool:
        """Whether an address is needed and missing: invoices that are sent need it, and so does a new subscription."""
        return self.email is None and (to_be_made or self.method == "send_invoice")


@dataclass(frozen=True, slots=True)
class Correcting:
    """The smallest amount that is worth a document, and where what is given back of a paid invoice goes."""

    smallest_minor: int
    paid: Literal["balance", "refund"]


@dataclass(frozen=True)
class Agreement:
    """One contract. `terms` are what the engine bills by."""

    document: AnyContract

    @property
    def customer(self) -> str:
        """Whose it is."""
        return self.document.customer

    @property
    def revision(self) -> int:
        """Its revision."""
        return self.document.revision

    @property
    def currency(self) -> Currency:
        """Its one currency."""
        return self.document.currency

    @property
    def version_2(self) -> ContractV2 | None:
        """The contract, where it is of version 2."""
        return self.document if isinstance(self.document, ContractV2) else None

    @cached_property
    def terms(self) -> engine.Terms:
        """All that it says about money."""
        if isinstance(self.document, ContractV2):
            return pricing.agreed.terms_of(self.document)
        return engine_terms(terms_of(self.document), revision=self.document.revision)

    @cached_property
    def meters(self) -> tuple[str, ...]:
        """The meters that have a price at some time, each once, in the contract's order."""
        return tuple(dict.fromkeys(item.meter for item in self.terms.metered))

    @property
    def free(self) -> tuple[str, ...]:
        """The meters that are on no invoice, as agreed."""
        return self.terms.free_meters

    def is_licensed_at(self, instant: datetime) -> bool:
        """Whether something is paid ahead at an instant."""
        return any(item.quantity_at(instant) > 0 for item in self.terms.licensed)

    @cached_property
    def _names(self) -> dict[str, str]:
        if isinstance(self.document, ContractV2):
            return {item.key: item.product for item in self.document.items}
        names = {LICENSED + item.item: item.item for item in self.document.licensed}
        return names | {METERED + item.meter: item.meter for item in self.document.metered}

    def name_of(self, item: str) -> str:
        """What an item is sold as: as its product is named at Stripe."""
        return self._names.get(item, item)

    def paying(self, instant: datetime) -> Paying:
        """Whom and how to bill at an instant."""
        one = self.document
        if isinstance(one, Contract):
            return Paying(
                one.name, one.billing_email, one.collection_method, MADE_TO_SEND, one.issuer, one.stripe_customer
            )
        billing = billing_at(one, instant)
        days = MADE_TO_SEND if billing.payment_terms_days is None else billing.payment_terms_days
        return Paying(
            billing.name,
            billing.billing_email,
            billing.collection_method,
            days,
            billing.issuer,
            billing.stripe_customer,
        )

    def period_of(self, instant: datetime) -> Period:
        """The billing period that holds an instant."""
        return self.document.period_of(instant)

    def at_revision(self, revision: int | None) -> Agreement:
        """As it stood at a revision; as it is, where its history does not know that."""
        one = self.version_2
        if one is None or revision is None or revision not in {change.revision for change in one.history}:
            return self
        return Agreement(as_of(one, revision))

    def correcting(self, *, smallest_minor: int) -> Correcting:
        """How corrections reach the customer, with the issuer's smallest amount where the contract says none."""
        said = self.version_2.billing[-1].corrections if self.version_2 is not None else None
        if said is None:
            return Correcting(smallest_minor, "balance")
        return Correcting(smallest_minor if said.smallest_minor is None else said.smallest_minor, said.paid)

    def revised_since(self, revision: int | None, *, until: datetime) -> tuple[int, ...]:
        """The revisions after one that take effect by an instant, so that what was billed until then lacks them."""
        if self.version_2 is None or revision is None:
            return ()
        return tuple(
            change.revision
            for change in self.version_2.history
            if change.revision > revision and change.effective_at <= until
        )
