"""An evaluation as text: cells, Markdown, LaTeX, CSV, JSON."""
