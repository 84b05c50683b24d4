"""Search stores: documents that were uploaded, cut into passages and indexed."""
