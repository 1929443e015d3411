"""`fanlight import` of registers and figures, and `fanlight convert`: files that are no plan as they are."""
