"""The model as a function on AWS Lambda: an image or a zip package, and Terraform files."""
