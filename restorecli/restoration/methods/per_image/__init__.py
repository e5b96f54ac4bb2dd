"""Methods that fit themselves to the one picture they restore; a line each in `methods.catalog`."""
