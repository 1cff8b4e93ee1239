"""Which objects the API server accepts: their names, fields and types, and admission."""
