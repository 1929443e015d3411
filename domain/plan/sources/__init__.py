"""Sources: where values of a project's plan come from without anybody typing them. Part of the project's stream.

Rule: a source proposes. What is taken without being asked is what its rules name, judged here and nowhere else; what a
client reads as a title, and that a milestone leaves the plan, is decided by a person.
"""
