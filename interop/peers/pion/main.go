// pion-peer: an echo server and a line client on pion/dtls, for the interoperability matrix. DTLS 1.2.
//
// The server prints "ACCEPT address", sends back what its one client sends, and ends when the client closes. The client
// sends the lines of its standard input and prints what comes back; at the end of the input it closes the connection.
// Both print "connected, cipher suite" to standard output first.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/pion/dtls/v3"
)

type settings struct {
	accept, connect           string
	certificate, key          string
	psk, identity, serverName string
	cipher                    string
	requireCertificate        bool
	connectionIDSize          int
	mtu                       int
	timeout                   time.Duration
}

func main() {
	var s settings
	flag.StringVar(&s.accept, "accept", "", "address to listen on")
	flag.StringVar(&s.connect, "connect", "", "address of the server")
	flag.StringVar(&s.certificate, "cert", "", "own certificate and its chain (PEM)")
	flag.StringVar(&s.key, "key", "", "private key (PEM)")
	flag.StringVar(&s.psk, "psk", "", "pre-shared key in hexadecimal digits")
	flag.StringVar(&s.identity, "psk_identity", "", "identity of the pre-shared key")
	flag.StringVar(&s.serverName, "servername", "", "server_name to send")
	flag.StringVar(&s.cipher, "cipher", "", "the only cipher suite, by IANA's name")
	flag.BoolVar(&s.requireCertificate, "verify", false, "require a certificate of the client")
	flag.IntVar(&s.connectionIDSize, "cid", -1, "size of the connection IDs that the peer uses; 0: only send the peer's")
	flag.IntVar(&s.mtu, "mtu", 1200, "largest datagram of the handshake")
	flag.DurationVar(&s.timeout, "timeout", 20*time.Second, "time for the handshake")
	flag.Parse()

	run := client
	if s.accept != "" {
		run = server
	}
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "pion-peer:", err)
		os.Exit(1)
	}
}

// The options of both roles.
func common(s settings) ([]dtls.Option, error) {
	options := []dtls.Option{dtls.WithMTU(s.mtu)}
	// pion verifies with Go's pool of authorities; the matrix is about the protocol.
	options = append(options, dtls.WithInsecureSkipVerify(true))
	if s.psk != "" {
		key, err := hex.DecodeString(s.psk)
		if err != nil {
			return nil, err
		}
		options = append(options, dtls.WithPSK(func([]byte) ([]byte, error) { return key, nil }))
		options = append(options, dtls.WithPSKIdentityHint([]byte(s.identity)))
	}
	if s.certificate != "" {
		certificate, err := tls.LoadX509KeyPair(s.certificate, s.key)
		if err != nil {
			return nil, err
		}
		options = append(options, dtls.WithCertificates(certificate))
	}
	switch {
	case s.connectionIDSize == 0:
		options = append(options, dtls.WithConnectionIDGenerator(dtls.OnlySendCIDGenerator()))
	case s.connectionIDSize > 0:
		options = append(options, dtls.WithConnectionIDGenerator(dtls.RandomCIDGenerator(s.connectionIDSize)))
	}
	if s.cipher != "" {
		suite, err := suiteOf(s.cipher)
		if err != nil {
			return nil, err
		}
		options = append(options, dtls.WithCipherSuites(suite))
	}
	return options, nil
}

func suiteOf(name string) (dtls.CipherSuiteID, error) {
	for id := range 0x10000 {
		if suite := dtls.CipherSuiteID(id); suite.String() == name {
			return suite, nil
		}
	}
	return 0, fmt.Errorf("pion has no %s", name)
}

func handshake(connection *dtls.Conn, s settings) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	if err := connection.HandshakeContext(ctx); err != nil {
		return err
	}
	state, ok := connection.ConnectionState()
	if !ok {
		return errors.New("no state after the handshake")
	}
	fmt.Printf("connected, %s\n", state.CipherSuiteID)
	if s.requireCertificate {
		fmt.Printf("certificates of the client: %d\n", len(state.PeerCertificates))
	}
	return nil
}

func server(s settings) error {
	shared, err := common(s)
	if err != nil {
		return err
	}
	options := make([]dtls.ServerOption, 0, len(shared)+1)
	for _, option := range shared {
		options = append(options, option)
	}
	if s.requireCertificate {
		options = append(options, dtls.WithClientAuth(dtls.RequireAnyClientCert))
	}
	address, err := net.ResolveUDPAddr("udp", s.accept)
	if err != nil {
		return err
	}
	listener, err := dtls.ListenWithOptions("udp", address, options...)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck
	fmt.Printf("ACCEPT %s\n", listener.Addr())
	accepted, err := listener.Accept()
	if err != nil {
		return err
	}
	connection, ok := accepted.(*dtls.Conn)
	if !ok {
		return errors.New("the listener accepts something else")
	}
	if err := handshake(connection, s); err != nil {
		return err
	}
	buffer := make([]byte, 16384)
	for {
		size, err := connection.Read(buffer)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := connection.Write(buffer[:size]); err != nil {
			return err
		}
	}
}

func client(s settings) error {
	shared, err := common(s)
	if err != nil {
		return err
	}
	options := make([]dtls.ClientOption, 0, len(shared)+1)
	for _, option := range shared {
		options = append(options, option)
	}
	if s.serverName != "" {
		options = append(options, dtls.WithServerName(s.serverName))
	}
	address, err := net.ResolveUDPAddr("udp", s.connect)
	if err != nil {
		return err
	}
	connection, err := dtls.DialWithOptions("udp", address, options...)
	if err != nil {
		return err
	}
	if err := handshake(connection, s); err != nil {
		return err
	}
	go func() {
		buffer := make([]byte, 16384)
		for {
			size, err := connection.Read(buffer)
			if err != nil {
				return
			}
			os.Stdout.Write(buffer[:size]) //nolint:errcheck
		}
	}()
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) != 0 {
			if _, err := connection.Write(line); err != nil {
				return err
			}
		}
		if err != nil {
			return connection.Close()
		}
	}
}
