"""Rule sets: drafted, validated, active from a period; and what others would change."""
