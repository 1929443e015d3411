"""How pages of an organisation look: its pictures and its accent, and what makes a colour legible. Knows no project."""
