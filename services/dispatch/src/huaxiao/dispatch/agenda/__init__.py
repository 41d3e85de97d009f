"""A day as it is planned and stands: whose visits, when, and where one more order goes."""
