"""Interplay: the open, self-hosted Interactions API."""

__version__ = "0.1.0"
