"""
When Avalara files for a company: after the 10th of a month, what was committed of the months before is locked.

Source: Avalara's blog of October 2017 on adjusting transactions.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

FILED_ON = 10


def filed_before(now: datetime) -> date:
    """The first day that is not filed yet: documents of earlier days are, so far as they are committed."""
    month = now.date().replace(day=1)
    if now.day > FILED_ON:
        return month
    return (month - timedelta(days=1)).replace(day=1)
