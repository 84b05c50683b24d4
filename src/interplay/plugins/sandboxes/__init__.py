"""Places where code nobody vouches for runs."""
