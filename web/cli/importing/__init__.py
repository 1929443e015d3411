"""`fanlight import` of what is no plan: risk registers and budget figures."""
