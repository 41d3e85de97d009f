"""``huaxiao doctor``: whether what the suite keeps still holds, and what to do where it does not."""
