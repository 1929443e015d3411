"""The list *For you*: each line is a sentence, leads to where it is dealt with, and goes when it is."""
