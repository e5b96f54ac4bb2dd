"""Files in and out: decoding, encoding, metadata, walking folders, categories and the manifest."""
