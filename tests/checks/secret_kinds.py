"""The secrets that detect-secrets does not know by itself: Stripe's test keys and webhook secrets, and our own keys."""

from __future__ import annotations

import re

from detect_secrets.plugins.base import RegexBasedDetector


class StripeKey(RegexBasedDetector):
    """Secret and restricted keys, live and test. A real one has no underscore; made-up ones here are words."""

    secret_type = "Stripe key"
    denylist = (re.compile(r"\b(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{20,}"),)


class WebhookSecret(RegexBasedDetector):
    """Signing secrets of webhook endpoints."""

    secret_type = "Stripe webhook secret"
    denylist = (re.compile(r"\bwhsec_[0-9A-Za-z]{24,}"),)


class SettledKey(RegexBasedDetector):
    """API keys of this house: 32 random bytes in URL-safe base64."""

    secret_type = "Settled API key"
    denylist = (re.compile(r"\bstl_[0-9A-Za-z_-]{43}\b"),)
