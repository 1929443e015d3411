"""The auditor’s pages: the record, replayed and compared."""
