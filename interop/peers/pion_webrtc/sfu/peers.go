package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/transport/v5/udp"
	"github.com/pion/webrtc/v4"

	"sluice/interop/pion_webrtc/shared"
)

const (
	// As much as sluice-sfu keeps of a video track.
	repeatable = 512
	// Longest time that a datagram waits for its batch; LiveKit's default.
	maxWait = 2 * time.Millisecond
	// As LiveKit asks for; the system may give less.
	socketBuffer = 16 << 20
)

// What all connections are made from. Publishers and viewers have other interceptors: each has only what it needs, and
// each packet passes all of them.
type peers struct {
	publishers, viewers *webrtc.API
	configuration       webrtc.Configuration
}

func makePeers(own *net.UDPAddr, batch int) (*peers, error) {
	socket, err := net.ListenUDP("udp", own)
	if err != nil {
		return nil, err
	}
	socket.SetReadBuffer(socketBuffer)
	socket.SetWriteBuffer(socketBuffer)
	var connection net.PacketConn = socket
	if batch > 1 {
		connection = udp.NewBatchConn(socket, batch, maxWait)
	}
	settings := webrtc.SettingEngine{}
	settings.SetLite(true)
	settings.SetICEUDPMux(webrtc.NewICEUDPMux(nil, connection))
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	settings.SetIncludeLoopbackCandidate(own.IP.IsLoopback())
	// The peer has proved its address by ICE: DTLS needs no cookie.
	settings.SetDTLSInsecureSkipHelloVerify(true)
	if err := settings.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, err
	}

	made := &peers{}
	codecs := []webrtc.RTPCodecParameters{codecOf(webrtc.RTPCodecTypeAudio), codecOf(webrtc.RTPCodecTypeVideo)}
	if made.publishers, err = shared.NewAPI(settings, codecs, publisherInterceptors); err != nil {
		return nil, err
	}
	if made.viewers, err = shared.NewAPI(settings, codecs, viewerInterceptors); err != nil {
		return nil, err
	}
	// One certificate for all: otherwise each connection makes its own.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	certificate, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, err
	}
	made.configuration.Certificates = []webrtc.Certificate{*certificate}
	return made, nil
}

// All that is forwarded: one codec a kind.
func codecOf(kind webrtc.RTPCodecType) webrtc.RTPCodecParameters {
	codec := shared.CodecOf(kind, "VP8")
	if kind == webrtc.RTPCodecTypeVideo {
		codec.RTCPFeedback = []webrtc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}}
	}
	return codec
}

func allowNACK(media *webrtc.MediaEngine) {
	media.RegisterFeedback(webrtc.RTCPFeedback{Type: "nack"}, webrtc.RTPCodecTypeVideo)
	media.RegisterFeedback(webrtc.RTCPFeedback{Type: "nack", Parameter: "pli"}, webrtc.RTPCodecTypeVideo)
}

// What a publisher needs: NACKs for what is missing, receiver reports, and feedback for its estimate of the bandwidth.
func publisherInterceptors(media *webrtc.MediaEngine, registry *interceptor.Registry) error {
	generator, err := nack.NewGeneratorInterceptor()
	if err != nil {
		return err
	}
	reports, err := report.NewReceiverInterceptor()
	if err != nil {
		return err
	}
	allowNACK(media)
	registry.Add(generator)
	registry.Add(reports)
	return webrtc.ConfigureTWCCSender(media, registry)
}

// What a viewer needs: repeated packets and sender reports. The packets of all viewers share their payload, which
// nobody writes to (DisableCopy). No estimate of the bandwidth: there is one layer.
func viewerInterceptors(media *webrtc.MediaEngine, registry *interceptor.Registry) error {
	responder, err := nack.NewResponderInterceptor(nack.ResponderSize(repeatable), nack.DisableCopy())
	if err != nil {
		return err
	}
	reports, err := report.NewSenderInterceptor()
	if err != nil {
		return err
	}
	allowNACK(media)
	registry.Add(responder)
	registry.Add(reports)
	return nil
}
