// pion-sfu: a small media server on pion/webrtc, for the comparison with sluice-sfu. WHIP in, WHEP out, one room.
//
// It forwards Opus and VP8 as users of Pion do: one TrackLocalStaticRTP for each published track, which all viewers are
// bound to. All sessions are on one UDP port (UDPMux), and its writes leave in batches (sendmmsg), as LiveKit has it.
// It prints its URL.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/pion/webrtc/v4"

	"sluice/interop/pion_webrtc/shared"
)

const maxOffer = 128 << 10

type server struct {
	peers    *peers
	room     *room
	sessions sync.Map // by ID: *webrtc.PeerConnection
}

// What a kind of session does with its connection.
type role struct {
	api         *webrtc.API
	join        func(*webrtc.PeerConnection, []webrtc.RTPCodecType) error // with the kinds that the offer has
	onConnected func()
	onEnd       func(*webrtc.PeerConnection)
}

func (s *server) post(as role) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		offer, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOffer))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		connection, err := as.api.NewPeerConnection(s.peers.configuration)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer, err := s.begin(as, connection, string(offer))
		if err != nil {
			connection.Close()
			status := http.StatusBadRequest
			if errors.Is(err, errNobodyPublishes) {
				status = http.StatusConflict
			}
			http.Error(w, err.Error(), status)
			return
		}
		id := newID()
		s.sessions.Store(id, connection)
		connection.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
			switch state {
			case webrtc.PeerConnectionStateConnected:
				as.onConnected()
			case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
				as.onEnd(connection)
				s.end(id)
			}
		})
		w.Header().Set("Content-Type", "application/sdp")
		w.Header().Set("Location", "/session/"+id)
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, answer)
	}
}

func (s *server) begin(as role, connection *webrtc.PeerConnection, offer string) (string, error) {
	var kinds []webrtc.RTPCodecType
	for _, kind := range shared.Kinds {
		if strings.Contains(offer, "m="+kind.String()+" ") {
			kinds = append(kinds, kind)
		}
	}
	if err := as.join(connection, kinds); err != nil {
		return "", err
	}
	return shared.Answer(connection, offer) // whose candidates are those of the one port
}

func (s *server) end(id string) bool {
	connection, found := s.sessions.LoadAndDelete(id)
	if found {
		// Not within a callback of the connection.
		go connection.(*webrtc.PeerConnection).Close()
	}
	return found
}

func newID() string {
	id := make([]byte, 16)
	rand.Read(id)
	return hex.EncodeToString(id)
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /whip/{room}", s.post(role{api: s.peers.publishers, join: s.room.addPublisher,
		onConnected: func() {}, onEnd: s.room.removePublisher}))
	mux.Handle("POST /whep/{room}", s.post(role{api: s.peers.viewers, join: s.room.addViewer,
		onConnected: s.room.askForKeyFrames, onEnd: func(*webrtc.PeerConnection) {}}))
	mux.HandleFunc("DELETE /session/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !s.end(r.PathValue("id")) {
			http.Error(w, "there is no such session", http.StatusNotFound)
		}
	})
	return mux
}

func main() {
	address := flag.String("address", "127.0.0.1", "IP address of HTTP and of the media")
	httpPort := flag.Int("http", 0, "port of HTTP; 0: any free one")
	udpPort := flag.Int("udp", 0, "UDP port of all sessions; 0: any free one")
	batch := flag.Int("batch", 128, "datagrams that leave by one system call; 1: one each")
	flag.Parse()

	own := net.ParseIP(*address)
	if own == nil {
		log.Fatalf("no IP address: %s", *address)
	}
	peers, err := makePeers(&net.UDPAddr{IP: own, Port: *udpPort}, *batch)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(*address, fmt.Sprint(*httpPort)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s/\n", listener.Addr())
	s := &server{peers: peers, room: &room{}}
	log.Fatal(http.Serve(listener, s.handler()))
}
