"""Going from one implementation to another, share by share, under guards."""
