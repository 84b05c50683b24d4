"""Tools that the server itself executes."""
