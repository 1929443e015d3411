"""Plans in tables: comma-separated files of any dialect, and workbooks of Excel and LibreOffice."""
