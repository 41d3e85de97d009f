"""Telling a decision to people: whose the revenue is, and why, sentence by sentence (R22-R24).

Everything is said from the evidence that was kept and the decision made from it. Sentences follow
what decided, an owner source, never the code of a rule: a county may write rules of its own.
"""
