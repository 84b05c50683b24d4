"""Web search engines; one file each."""
