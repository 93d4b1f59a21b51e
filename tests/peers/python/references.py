"""Names of images."""


def normalise(name):
    """As containerd stores it."""
    first, slash, _ = name.partition("/")
    if not slash:
        name = "docker.io/library/" + name
    elif "." not in first and ":" not in first and first != "localhost":
        name = "docker.io/" + name
    base, at, digest = name.partition("@")
    repository, colon, tag = base.rpartition(":")
    has_tag = bool(colon) and "/" not in tag
    if at:
        return (repository if has_tag else base) + "@" + digest
    return base if has_tag else base + ":latest"
