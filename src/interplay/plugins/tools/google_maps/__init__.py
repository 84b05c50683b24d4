"""Places and routes of a map: an OpenStreetMap stack of one's own choice, or Google's by key."""

from __future__ import annotations

from interplay.plugins.tools.google_maps.config import Config
from interplay.plugins.tools.google_maps.tool import GoogleMaps

__all__ = ["Config", "GoogleMaps"]
