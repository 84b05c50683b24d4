"""What a plugin promises; one contract per file."""
