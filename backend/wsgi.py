"""What a WSGI server imports: the application, built from the environment."""

from backend.app import create_app
from backend.wiring import load_checked_settings

app = create_app(load_checked_settings())
