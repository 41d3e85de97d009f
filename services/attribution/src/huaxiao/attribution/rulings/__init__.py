"""Rulings (裁定): what two people have decided about one subscription, before any rule is asked."""
