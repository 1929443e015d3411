"""What they saw: one share at one instant, for managers and auditors."""
