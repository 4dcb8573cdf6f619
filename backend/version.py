"""The version that the service reports of itself."""

VERSION = "0.1.0"
