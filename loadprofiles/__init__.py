"""Who the customers are and when they come.

Cheap to import: the load generator with Locust and gevent lives in a process of its own (``loadprofiles.process``).
"""

from loadprofiles.profiles import PROFILES, Behaviour, Insistence, Patience, Profile, Url, by_url

__all__ = ["PROFILES", "Behaviour", "Insistence", "Patience", "Profile", "Url", "by_url"]
