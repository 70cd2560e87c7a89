"""The rules a bundle must keep. Each module looks at one side of it and yields findings."""
