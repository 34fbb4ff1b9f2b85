"""What holds for every test: laws are judged by what they find, not by how long a busy machine takes."""

from hypothesis import settings

settings.register_profile("ours", deadline=None, print_blob=True)
settings.load_profile("ours")
