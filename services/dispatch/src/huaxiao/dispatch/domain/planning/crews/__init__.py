"""Construction over several days: which crews are formed each day, and what each of them does (R17).

``model`` says what such a plan is made from and what it is, ``engine`` makes one, by ``search``.
``checking`` proves a plan apart from both, ``reasons`` says why an order is not planned.
"""
