"""Sandboxes of Linux namespaces, made by bubblewrap: guarantee class G1."""

from interplay.plugins.sandboxes.bubblewrap.backend import Bubblewrap

__all__ = ["Bubblewrap"]
