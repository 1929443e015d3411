"""Evidence bundles as downloads, and the readable page inside a bundle."""
