"""Sends recorded entries to every open dashboard, and takes receipts from their pages.

A `Viewer` is who is behind a socket, a `Watcher` the open socket itself, its `Standing` the numbers it has reached, and
`Watching` what a manager is told of it.
"""
