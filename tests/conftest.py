"""What holds for every test."""

from hypothesis import settings

# A busy machine is no finding: examples are judged by what they do, not by how long they take.
settings.register_profile("onecode", deadline=None)
settings.load_profile("onecode")
