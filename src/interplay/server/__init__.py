"""HTTP: the app, its wiring, and the process around it."""
