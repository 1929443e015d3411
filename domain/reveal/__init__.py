"""The one door: a project and an agreement in, the view that a client may know out."""
