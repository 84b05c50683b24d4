"""Doubles and behaviour suites for testing against Interplay, shipped with it."""
