"""The interactions resource: one journal each, all else a fold or a tail of it."""
