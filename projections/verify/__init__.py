"""Evidence bundles checked from their bytes alone; imports nothing that writes the record."""
