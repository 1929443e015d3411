"""Pictures from strangers, made harmless: what comes out holds what is drawn and nothing else, or nothing comes out."""
