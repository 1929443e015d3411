"""From a project and a share agreement to the view that the client may know; the only way to one."""
