"""Which files are scored against which: names, manifests, masks."""
