package jetstream

import (
	"crypto/tls"
	"fmt"

	"github.com/nats-io/nats.go"
)

// TLS are the PEM files with which an external server is dialled. The zero value is the system's authorities and no client
// certificate. The files are read again at each reconnection, so that certificates may be renewed under a running process.
type TLS struct {
	CA   string // authorities that may have signed the server's certificate, instead of the system's
	Cert string // the client's certificate, with its chain
	Key  string // the private key to Cert
}

// Options are those for Dial. It fails, naming the file, when one can't be read or a certificate and its key don't belong
// together.
func (t TLS) Options() ([]nats.Option, error) {
	var opts []nats.Option
	if t.CA != "" {
		pool := nats.RootCAs(t.CA)
		if err := pool(&nats.Options{}); err != nil {
			return nil, fmt.Errorf("the authorities of %s: %w", t.CA, err)
		}
		opts = append(opts, pool)
	}
	switch {
	case t.Cert == "" && t.Key == "":
		return opts, nil
	case t.Cert == "":
		return nil, fmt.Errorf("a key, %s, but no certificate that it belongs to", t.Key)
	case t.Key == "":
		return nil, fmt.Errorf("a certificate, %s, but no key to it", t.Cert)
	}
	if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", t.Cert, t.Key, err)
	}
	return append(opts, nats.ClientCert(t.Cert, t.Key)), nil
}
