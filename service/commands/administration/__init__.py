"""What administrators do: see that nothing stalls, repair, migrate, keep and prove what happened."""
