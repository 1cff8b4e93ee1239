"""The API over HTTP: authentication, requests, verbs, watches, lists and tables, and discovery."""
