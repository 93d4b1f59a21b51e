// Certificates reads what TLS servers show, one a line as JSON, and prints for each whether crypto/x509 believes it as a TLS client does:
// "believed", or why not.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type shown struct {
	CA    string   // PEM, as of hosts.toml
	Chain [][]byte // DER, the server's own first
	Host  string
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<20)
	for in.Scan() {
		fmt.Println(strings.ReplaceAll(judge(in.Bytes()), "\n", " "))
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// judge does what crypto/tls does with a server's certificates (handshake_client.go, verifyServerCertificate).
func judge(line []byte) string {
	var one shown
	if err := json.Unmarshal(line, &one); err != nil {
		return err.Error()
	}
	var chain []*x509.Certificate
	for _, der := range one.Chain {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return err.Error()
		}
		chain = append(chain, certificate)
	}
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), DNSName: one.Host}
	options.Roots.AppendCertsFromPEM([]byte(one.CA))
	for _, certificate := range chain[1:] {
		options.Intermediates.AddCert(certificate)
	}
	if _, err := chain[0].Verify(options); err != nil {
		return err.Error()
	}
	return "believed"
}
