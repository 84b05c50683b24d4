"""Files: uploads that can be resumed, and what was uploaded."""
