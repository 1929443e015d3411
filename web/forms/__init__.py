"""Forms that stand for a command: their fields, and the command made from what was typed. No I/O."""
