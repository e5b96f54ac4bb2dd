"""Methods that fit themselves to the one image they restore; a line each in `methods.catalog`."""
