"""Evidence bundles handed out, and the readable page inside."""
