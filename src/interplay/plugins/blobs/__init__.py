"""Where media lies."""
