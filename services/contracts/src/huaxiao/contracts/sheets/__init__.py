"""Lists as CSV and XLSX: people, listed customers, fields; exported, previewed, imported."""
