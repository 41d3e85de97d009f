"""Photos and signatures of orders."""
