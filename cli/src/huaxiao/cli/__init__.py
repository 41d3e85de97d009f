"""The `huaxiao` command: the embedded suite, the sample county, tokens, migrations."""
