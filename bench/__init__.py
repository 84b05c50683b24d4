"""Rulers and load for the server: what a request and an event cost beside a hand-written floor."""
