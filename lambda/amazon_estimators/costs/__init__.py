"""Money: prices by region, and what a training, a scoring or an endpoint costs at them."""
