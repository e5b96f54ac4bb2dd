"""Jobs on folders of images: walking, naming outputs, the manifest, locks, ordered work."""
