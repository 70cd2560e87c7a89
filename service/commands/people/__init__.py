"""Accounts and deputies, and how people are told."""
