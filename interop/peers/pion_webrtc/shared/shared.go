// Package shared has what the client and the media server on pion/webrtc have in common.
package shared

import (
	"strings"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// MaxPacket is the size of the largest packet in bytes.
const MaxPacket = 1500

// Kinds are those that a session may have.
var Kinds = []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo}

// CodecOf is the codec of a kind with its payload type: Opus, and for video the one of this name.
func CodecOf(kind webrtc.RTPCodecType, video string) webrtc.RTPCodecParameters {
	if kind == webrtc.RTPCodecTypeAudio {
		return webrtc.RTPCodecParameters{PayloadType: 111,
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}}
	}
	return webrtc.RTPCodecParameters{PayloadType: 96,
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "video/" + video, ClockRate: 90000}}
}

// NewAPI makes connections that have these codecs and what `intercept` registers.
func NewAPI(settings webrtc.SettingEngine, codecs []webrtc.RTPCodecParameters,
	intercept func(*webrtc.MediaEngine, *interceptor.Registry) error) (*webrtc.API, error) {
	media, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	for _, codec := range codecs {
		kind := webrtc.RTPCodecTypeVideo
		if strings.HasPrefix(codec.MimeType, "audio/") {
			kind = webrtc.RTPCodecTypeAudio
		}
		if err := media.RegisterCodec(codec, kind); err != nil {
			return nil, err
		}
	}
	if err := intercept(media, registry); err != nil {
		return nil, err
	}
	return webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(media),
		webrtc.WithInterceptorRegistry(registry)), nil
}

// Describe makes `made` the local description, unless there is an error. The SDP has all candidates.
func Describe(connection *webrtc.PeerConnection, made webrtc.SessionDescription, err error) (string, error) {
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(connection)
	if err := connection.SetLocalDescription(made); err != nil {
		return "", err
	}
	<-gathered
	return connection.LocalDescription().SDP, nil
}

// Answer is the SDP that answers the offer, with all candidates.
func Answer(connection *webrtc.PeerConnection, offer string) (string, error) {
	err := connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer})
	if err != nil {
		return "", err
	}
	made, err := connection.CreateAnswer(nil)
	return Describe(connection, made, err)
}

// ReadRTCP gives each packet to `use` until the connection ends. Interceptors see RTCP only while somebody reads it.
func ReadRTCP(read func([]byte) (int, interceptor.Attributes, error), use func(rtcp.Packet)) {
	buffer := make([]byte, MaxPacket)
	for {
		size, _, err := read(buffer)
		if err != nil {
			return
		}
		packets, _ := rtcp.Unmarshal(buffer[:size]) // none where it can't be read
		for _, packet := range packets {
			use(packet)
		}
	}
}

// AsksForKeyFrame says whether a receiver can't go on without a key frame.
func AsksForKeyFrame(packet rtcp.Packet) bool {
	switch packet.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		return true
	}
	return false
}
