"""The forms in which records come and answers go: each codec is two functions, and knows no model."""
