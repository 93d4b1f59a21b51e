// References reads names of images, one a line, and prints what distribution/reference makes of each, one a line: the host, the path
// and the name as containerd keeps it, with tabs between them, or nothing where it refuses the name.
package main

import (
	"bufio"
	_ "crypto/sha256" // a digest is one only if its algorithm is linked, which runtimes do for TLS
	_ "crypto/sha512"
	"fmt"
	"os"

	"github.com/distribution/reference"
)

func main() {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<20)
	for in.Scan() {
		fmt.Fprintln(out, describe(in.Text()))
	}
	if err := in.Err(); err != nil {
		out.Flush()
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func describe(name string) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return ""
	}
	kept, err := reference.ParseDockerRef(name)
	if err != nil {
		return "ParseDockerRef: " + err.Error()
	}
	return reference.Domain(named) + "\t" + reference.Path(named) + "\t" + kept.String()
}
