"""From measurements to the damage that counts as found."""
