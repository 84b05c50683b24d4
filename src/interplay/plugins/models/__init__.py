"""Model backends and the catalogue of models to fetch."""
