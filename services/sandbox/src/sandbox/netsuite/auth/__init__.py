"""Who asks: OAuth 2.0 with a signed assertion, and token-based authentication."""
