"""Methods that restore without trained weights: a file per family, a line each in `methods.catalog`."""
