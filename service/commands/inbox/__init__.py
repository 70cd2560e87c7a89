"""What people do with their tasks: take them, fill their forms, talk about them, hand them in."""
