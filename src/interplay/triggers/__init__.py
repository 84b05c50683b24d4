"""Triggers: interactions that begin by the clock."""
