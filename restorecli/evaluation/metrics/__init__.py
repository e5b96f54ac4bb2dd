"""Every metric, the protocols they follow, and the catalog."""
