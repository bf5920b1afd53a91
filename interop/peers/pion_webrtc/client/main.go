// pion-client: a publisher and a viewer on pion/webrtc, by WHIP and WHEP. It takes RTP from UDP ports of loopback, or
// passes it on to them: GStreamer encodes and decodes. See ../../sfu_clients/__main__.py for how it is run.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"sluice/interop/pion_webrtc/shared"
)

type client struct {
	connection *webrtc.PeerConnection
	ports      map[webrtc.RTPCodecType]int
	role       string
	codec      string
	said       sync.Mutex
	mutex      sync.Mutex
	video      webrtc.SSRC // that a viewer receives
}

func (c *client) say(event string) {
	c.said.Lock()
	defer c.said.Unlock()
	json.NewEncoder(os.Stdout).Encode(map[string]string{"event": event})
}

func codecOf(kind webrtc.RTPCodecType, video string) webrtc.RTPCodecParameters {
	codec := shared.CodecOf(kind, video)
	if codec.MimeType == webrtc.MimeTypeH264 {
		codec.SDPFmtpLine = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
	}
	return codec
}

func connect(codecs ...webrtc.RTPCodecParameters) (*webrtc.PeerConnection, error) {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	api, err := shared.NewAPI(settings, codecs, webrtc.RegisterDefaultInterceptors)
	if err != nil {
		return nil, err
	}
	return api.NewPeerConnection(webrtc.Configuration{})
}

// Packets from a port become those of a track.
func (c *client) publish(kind webrtc.RTPCodecType, video string) error {
	track, err := webrtc.NewTrackLocalStaticRTP(codecOf(kind, video).RTPCodecCapability, kind.String(), "pion")
	if err != nil {
		return err
	}
	transceiver, err := c.connection.AddTransceiverFromTrack(track,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: c.ports[kind]})
	if err != nil {
		return err
	}
	go func() {
		packet := make([]byte, shared.MaxPacket)
		for {
			size, _, err := socket.ReadFromUDP(packet)
			if err != nil {
				return
			}
			track.Write(packet[:size])
		}
	}()
	go shared.ReadRTCP(transceiver.Sender().Read, c.onFeedback)
	return nil
}

func (c *client) onFeedback(packet rtcp.Packet) {
	if shared.AsksForKeyFrame(packet) {
		c.say("asked for key frame")
	} else if _, isNACK := packet.(*rtcp.TransportLayerNack); isNACK {
		c.say("asked again")
	}
}

// What comes on tracks goes to ports.
func (c *client) watch(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	if remote.Kind() == webrtc.RTPCodecTypeVideo {
		c.mutex.Lock()
		c.video = remote.SSRC()
		c.mutex.Unlock()
	}
	go shared.ReadRTCP(receiver.Read, func(rtcp.Packet) {})
	socket, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", c.ports[remote.Kind()]))
	if err != nil {
		log.Fatal(err)
	}
	packet := make([]byte, shared.MaxPacket)
	for {
		size, _, err := remote.Read(packet)
		if err != nil {
			return
		}
		// A server that offers has payload types of its own.
		packet[1] = packet[1]&0x80 | byte(codecOf(remote.Kind(), c.codec).PayloadType)
		socket.Write(packet[:size])
	}
}

func (c *client) askForKeyFrame() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.connection.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(c.video)}})
}

func exchange(method, target, body string) (int, string, *url.URL, error) {
	request, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/sdp")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	location, _ := response.Location()
	return response.StatusCode, string(text), location, err
}

// Offers what the connection has. The status is that of the answer, or of a counter-offer.
func (c *client) offer(connection *webrtc.PeerConnection, target string) (int, string, *url.URL, error) {
	made, err := connection.CreateOffer(nil)
	offer, err := shared.Describe(connection, made, err)
	if err != nil {
		return 0, "", nil, err
	}
	return exchange(http.MethodPost, target, offer)
}

func (c *client) negotiate(target string) (*url.URL, error) {
	status, answer, session, err := c.offer(c.connection, target)
	if err != nil {
		return nil, err
	}
	if status != http.StatusCreated {
		return nil, fmt.Errorf("the offer is answered with %d: %s", status, answer)
	}
	return session, c.connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}

// Offers G.711 alone, and answers what the server offers in its place (draft-ietf-wish-whep-04).
func (c *client) beCountered(target string) (*url.URL, error) {
	declined, err := connect(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}})
	if err != nil {
		return nil, err
	}
	defer declined.Close()
	_, err = declined.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	if err != nil {
		return nil, err
	}
	status, offer, session, err := c.offer(declined, target)
	if err != nil {
		return nil, err
	}
	if status != http.StatusNotAcceptable {
		return nil, fmt.Errorf("the server takes G.711 (%d)", status)
	}
	answer, err := shared.Answer(c.connection, offer)
	if err != nil {
		return nil, err
	}
	status, text, _, err := exchange(http.MethodPatch, session.String(), answer)
	if err == nil && status != http.StatusNoContent {
		err = fmt.Errorf("the answer is refused with %d: %s", status, text)
	}
	c.say("countered")
	return session, err
}

func (c *client) begin(target, video string, decline bool) (*url.URL, error) {
	if decline {
		return c.beCountered(target)
	}
	for _, kind := range shared.Kinds {
		var err error
		if c.role == "publish" {
			err = c.publish(kind, video)
		} else {
			_, err = c.connection.AddTransceiverFromKind(kind,
				webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		}
		if err != nil {
			return nil, err
		}
	}
	return c.negotiate(target)
}

func (c *client) run(target, video string, decline bool) error {
	c.connection.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateConnected {
			c.say("connected")
		}
	})
	c.connection.OnTrack(c.watch)
	session, err := c.begin(target, video, decline)
	if err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() == "key frame" {
			c.askForKeyFrame()
		}
	}
	status, text, _, err := exchange(http.MethodDelete, session.String(), "")
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("DELETE is answered with %d: %s", status, text)
	}
	c.say("deleted")
	return c.connection.Close()
}

func main() {
	video := flag.String("codec", "VP8", "of the video: VP8 or H264")
	audioPort := flag.Int("audio-port", 0, "UDP port of loopback that audio comes from or goes to")
	videoPort := flag.Int("video-port", 0, "UDP port of loopback that video comes from or goes to")
	decline := flag.Bool("decline", false, "offer a codec that no server has, so that it makes a counter-offer")
	flag.Parse()
	if flag.NArg() != 2 || (flag.Arg(0) != "publish" && flag.Arg(0) != "watch") {
		log.Fatal("usage: pion-client [options] publish|watch URL")
	}
	rtx := webrtc.RTPCodecParameters{PayloadType: 97, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96"}}
	connection, err := connect(codecOf(webrtc.RTPCodecTypeAudio, *video), codecOf(webrtc.RTPCodecTypeVideo, *video), rtx)
	if err != nil {
		log.Fatal(err)
	}
	c := &client{connection: connection, role: flag.Arg(0), codec: *video, ports: map[webrtc.RTPCodecType]int{
		webrtc.RTPCodecTypeAudio: *audioPort, webrtc.RTPCodecTypeVideo: *videoPort}}
	if err := c.run(flag.Arg(1), *video, *decline); err != nil {
		log.Fatal(err)
	}
}
