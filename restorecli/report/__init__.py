"""Pictures, plots and the HTML page drawn from what evaluate computed."""
