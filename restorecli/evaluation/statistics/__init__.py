"""What many scores come to: summaries, groups, intervals, comparisons, gates."""
