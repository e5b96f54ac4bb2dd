"""Pure tensor functions that several networks, losses and restorers share."""
