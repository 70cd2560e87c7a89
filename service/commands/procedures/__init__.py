"""What process owners do: draw, check, try, compare, publish and put into service."""
