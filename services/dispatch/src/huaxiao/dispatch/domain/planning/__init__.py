"""The day's plan: who visits whom, in which order, and why not (R13, R14, R17).

Read in this order: ``model`` says what a day and a plan are, ``prices`` what a plan costs, ``search``
how a good one is found, ``engine`` how the search is run. ``placing`` answers at once for one order,
``replanning`` for a day that goes otherwise, ``checking`` proves a plan apart from all of them.
"""
