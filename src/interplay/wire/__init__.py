"""The types on the wire, one file per noun; no logic."""
