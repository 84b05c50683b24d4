"""Dispatchers: who runs what."""
