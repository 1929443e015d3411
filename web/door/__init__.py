"""What every door is made of: who is asking, headers, templates, static files, problems."""
