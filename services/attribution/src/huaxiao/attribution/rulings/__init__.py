"""Rulings (裁定): what two people have decided about subscriptions, before any rule is asked."""
