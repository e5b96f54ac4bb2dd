"""What a network against a damage took away tells whether the damage was there."""
