// pion-client: a publisher and a viewer on pion/webrtc, by WHIP and WHEP. It takes RTP from UDP ports of loopback, or
// passes it on to them: GStreamer encodes and decodes. See ../sfu_clients/__main__.py for how it is run.
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

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

const maxPacket = 1500

var kinds = []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo}

type client struct {
	connection *webrtc.PeerConnection
	ports      map[webrtc.RTPCodecType]int
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
	if kind == webrtc.RTPCodecTypeAudio {
		return webrtc.RTPCodecParameters{PayloadType: 111,
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}}
	}
	capability := webrtc.RTPCodecCapability{MimeType: "video/" + video, ClockRate: 90000}
	if video == "H264" {
		capability.SDPFmtpLine = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
	}
	return webrtc.RTPCodecParameters{PayloadType: 96, RTPCodecCapability: capability}
}

func connect(video string) (*webrtc.PeerConnection, error) {
	media, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	rtx := webrtc.RTPCodecParameters{PayloadType: 97, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96"}}
	for _, kind := range kinds {
		if err := media.RegisterCodec(codecOf(kind, video), kind); err != nil {
			return nil, err
		}
	}
	if err := media.RegisterCodec(rtx, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, err
	}
	if err := webrtc.RegisterDefaultInterceptors(media, registry); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	api := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(media),
		webrtc.WithInterceptorRegistry(registry))
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
		packet := make([]byte, maxPacket)
		for {
			size, _, err := socket.ReadFromUDP(packet)
			if err != nil {
				return
			}
			track.Write(packet[:size])
		}
	}()
	go c.readFeedback(transceiver.Sender())
	return nil
}

func (c *client) readFeedback(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				c.say("asked for key frame")
			case *rtcp.TransportLayerNack:
				c.say("asked again")
			}
		}
	}
}

// What comes on tracks goes to ports.
func (c *client) watch(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	if remote.Kind() == webrtc.RTPCodecTypeVideo {
		c.mutex.Lock()
		c.video = remote.SSRC()
		c.mutex.Unlock()
	}
	go func() { // interceptors see RTCP only while it is read
		for {
			if _, _, err := receiver.ReadRTCP(); err != nil {
				return
			}
		}
	}()
	socket, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", c.ports[remote.Kind()]))
	if err != nil {
		log.Fatal(err)
	}
	packet := make([]byte, maxPacket)
	for {
		size, _, err := remote.Read(packet)
		if err != nil {
			return
		}
		socket.Write(packet[:size])
	}
}

func (c *client) askForKeyFrame() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.connection.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(c.video)}})
}

func exchange(method, target, body string, wanted int) (string, *url.URL, error) {
	request, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		return "", nil, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/sdp")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != wanted {
		err = fmt.Errorf("%s is answered with %s: %s", method, response.Status, text)
	}
	location, _ := response.Location()
	return string(text), location, err
}

func (c *client) negotiate(target string) (*url.URL, error) {
	offer, err := c.connection.CreateOffer(nil)
	if err != nil {
		return nil, err
	}
	gathered := webrtc.GatheringCompletePromise(c.connection)
	if err := c.connection.SetLocalDescription(offer); err != nil {
		return nil, err
	}
	<-gathered
	answer, session, err := exchange(http.MethodPost, target, c.connection.LocalDescription().SDP, http.StatusCreated)
	if err != nil {
		return nil, err
	}
	return session, c.connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}

func (c *client) run(role, target, video string) error {
	c.connection.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateConnected {
			c.say("connected")
		}
	})
	c.connection.OnTrack(c.watch)
	for _, kind := range kinds {
		var err error
		if role == "publish" {
			err = c.publish(kind, video)
		} else {
			_, err = c.connection.AddTransceiverFromKind(kind,
				webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		}
		if err != nil {
			return err
		}
	}
	session, err := c.negotiate(target)
	if err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() == "key frame" {
			c.askForKeyFrame()
		}
	}
	if _, _, err := exchange(http.MethodDelete, session.String(), "", http.StatusOK); err != nil {
		return err
	}
	c.say("deleted")
	return c.connection.Close()
}

func main() {
	video := flag.String("codec", "VP8", "of the video: VP8 or H264")
	audioPort := flag.Int("audio-port", 0, "UDP port of loopback that audio comes from or goes to")
	videoPort := flag.Int("video-port", 0, "UDP port of loopback that video comes from or goes to")
	flag.Parse()
	if flag.NArg() != 2 || (flag.Arg(0) != "publish" && flag.Arg(0) != "watch") {
		log.Fatal("usage: pion-client [options] publish|watch URL")
	}
	connection, err := connect(*video)
	if err != nil {
		log.Fatal(err)
	}
	c := &client{connection: connection, ports: map[webrtc.RTPCodecType]int{
		webrtc.RTPCodecTypeAudio: *audioPort, webrtc.RTPCodecTypeVideo: *videoPort}}
	if err := c.run(flag.Arg(0), flag.Arg(1), *video); err != nil {
		log.Fatal(err)
	}
}
