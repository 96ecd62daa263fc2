"""The exported model: manifest, export, load and inference engines."""
