"""What a county plans its days by: prices, breaks, where days begin, how long ways take."""
