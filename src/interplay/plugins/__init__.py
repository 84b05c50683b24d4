"""Everything that can be swapped; each plugin stands alone."""
