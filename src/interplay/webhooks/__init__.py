"""Webhooks: what tells other servers that an interaction has ended."""
