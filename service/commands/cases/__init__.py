"""What happens to a case: it is started, stepped, told things and ended, and its rows follow."""
