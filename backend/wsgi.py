"""What a WSGI server imports: the application, built from the environment."""

from backend.app import create_app
from backend.composition.checked_settings import load_checked_settings

app = create_app(load_checked_settings())
