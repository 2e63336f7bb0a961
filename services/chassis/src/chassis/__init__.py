"""The library that every service is built on."""
