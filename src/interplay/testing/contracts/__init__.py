"""Behaviour suites: a plugin author subclasses one in his own tests."""
