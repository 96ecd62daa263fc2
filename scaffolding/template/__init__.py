"""The template's files under another name, in a place of their own."""
