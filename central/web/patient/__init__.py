"""The patient's page behind a one-time link: the dynamic code, and the static one to keep."""
