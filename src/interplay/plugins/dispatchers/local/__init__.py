"""Work shared by the processes of one machine, or kept by the only one, over the store's jobs."""

from interplay.plugins.dispatchers.local.dispatcher import LocalDispatcher

__all__ = ["LocalDispatcher"]
