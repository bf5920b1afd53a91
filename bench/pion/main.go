// Forwards an RTP packet to many receivers with pion/srtp, one system call for each, as pion/webrtc does below its
// tracks. Reads the receivers from the standard input, ADDRESS:PORT a line, and prints the microseconds of CPU time that
// one packet to one receiver takes, one line for each round.
//
// usage: pion-fanout ROUNDS PAYLOAD_BYTES
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

const roundTime = 200 * time.Millisecond

type receiver struct {
	address netip.AddrPort
	context *srtp.Context
	ssrc    uint32
	buffer  []byte
}

func readReceivers() []receiver {
	var receivers []receiver
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		address, err := netip.ParseAddrPort(lines.Text())
		if err != nil {
			log.Fatal(err)
		}
		context, err := srtp.CreateContext(make([]byte, 16), make([]byte, 12), srtp.ProtectionProfileAeadAes128Gcm)
		if err != nil {
			log.Fatal(err)
		}
		receivers = append(receivers, receiver{address, context, uint32(1000 + len(receivers)), make([]byte, 2048)})
	}
	return receivers
}

func forward(connection *net.UDPConn, receivers []receiver, packet *rtp.Packet) {
	for i := range receivers {
		to := &receivers[i]
		// Each receiver has an SSRC of its own, and the payload is shared.
		header := packet.Header
		header.SSRC = to.ssrc
		size, err := header.MarshalTo(to.buffer)
		if err != nil {
			log.Fatal(err)
		}
		plain := append(to.buffer[:size], packet.Payload...)
		protected, err := to.context.EncryptRTP(plain, plain, &header)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := connection.WriteToUDPAddrPort(protected, to.address); err != nil {
			log.Fatal(err)
		}
	}
}

// Of the process, as it is taken of the others.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: pion-fanout ROUNDS PAYLOAD_BYTES")
	}
	rounds, _ := strconv.Atoi(os.Args[1])
	size, _ := strconv.Atoi(os.Args[2])
	receivers := readReceivers()
	connection, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		log.Fatal(err)
	}
	packet := &rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: 96},
		Payload: make([]byte, size),
	}
	for round := 0; round < rounds; round++ {
		start, count := cpuTime(), 0
		for cpuTime()-start < roundTime {
			packet.SequenceNumber++
			forward(connection, receivers, packet)
			count += len(receivers)
		}
		fmt.Printf("%.4f\n", float64((cpuTime()-start).Nanoseconds())/1000/float64(count))
	}
}
