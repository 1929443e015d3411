"""Sends recorded entries to every open dashboard, and takes receipts from their pages."""
