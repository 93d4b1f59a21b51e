package wire

import "strings"

// Normalise gives a name of an image as containerd stores it.
func Normalise(name string) string {
	if first := strings.SplitN(name, "/", 2); len(first) == 1 {
		name = "docker.io/library/" + name
	} else if !strings.ContainsAny(first[0], ".:") && first[0] != "localhost" {
		name = "docker.io/" + name
	}
	base, digest := name, ""
	if at := strings.Index(name, "@"); at >= 0 {
		base, digest = name[:at], name[at:]
	}
	colon := strings.LastIndex(base, ":")
	tagged := colon > strings.LastIndex(base, "/")
	if digest != "" && tagged {
		return base[:colon] + digest
	}
	if digest != "" || tagged {
		return base + digest
	}
	return base + ":latest"
}
