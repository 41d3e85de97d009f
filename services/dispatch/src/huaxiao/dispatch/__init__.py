"""The work: orders to engineers, service clocks, and the appraisals that follow."""
