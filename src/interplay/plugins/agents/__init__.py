"""Agents that ship with Interplay."""
