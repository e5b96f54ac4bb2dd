"""How a batch becomes losses: a file for each training strategy, and the catalog."""
