"""The register of leads: brought, decided, converted once (R16)."""
