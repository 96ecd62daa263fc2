"""From a table to the plan of a project: kinds, rules and roles of its columns, leaks and splits."""
