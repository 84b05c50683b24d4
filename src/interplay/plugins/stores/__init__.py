"""Where interactions are kept."""
