"""Makes a project of one's own from this one: looks at the data, writes what a user would write, copies the rest."""
