"""What pages claimed to have received, recorded in batches."""
