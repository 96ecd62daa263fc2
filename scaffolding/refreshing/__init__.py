"""What changed in the data against a project's schema, and the edit of the schema that it asks for."""
