"""What a user would write, and the data: schema, features, config, tests, pages, sample."""
