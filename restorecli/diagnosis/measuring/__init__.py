"""What is measured in an image: one file for each kind of damage, all of plain numbers."""
