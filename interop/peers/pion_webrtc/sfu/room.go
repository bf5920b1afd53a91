package main

import (
	"errors"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"sluice/interop/pion_webrtc/shared"
)

var errNobodyPublishes = errors.New("nobody publishes in the room")

const keyFrameInterval = 500 * time.Millisecond

// A published track, and whom to ask for its key frames.
type source struct {
	kind      webrtc.RTPCodecType
	local     *webrtc.TrackLocalStaticRTP
	publisher *webrtc.PeerConnection

	mutex   sync.Mutex
	ssrc    webrtc.SSRC // 0 until the first packet has come
	askedAt time.Time
	isDue   bool
}

// A request that comes too soon waits for its time, and others that come until then are one with it.
func (s *source) askForKeyFrame() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.isDue || s.ssrc == 0 || s.kind != webrtc.RTPCodecTypeVideo {
		return
	}
	s.isDue = true
	time.AfterFunc(time.Until(s.askedAt.Add(keyFrameInterval)), s.sendPLI)
}

func (s *source) sendPLI() {
	s.mutex.Lock()
	s.isDue = false
	s.askedAt = time.Now()
	request := &rtcp.PictureLossIndication{MediaSSRC: uint32(s.ssrc)}
	s.mutex.Unlock()
	s.publisher.WriteRTCP([]rtcp.Packet{request})
}

// Until the publisher has gone. ReadRTP has a new buffer for each packet, which the viewers' caches keep.
func (s *source) forward(remote *webrtc.TrackRemote) {
	s.mutex.Lock()
	s.ssrc = remote.SSRC()
	s.mutex.Unlock()
	for {
		packet, _, err := remote.ReadRTP()
		if err != nil {
			return
		}
		// The IDs of its header extensions are those that the publisher has agreed on.
		packet.Extension, packet.Extensions = false, nil
		// The error of one viewer is no reason to stop: its own connection ends.
		s.local.WriteRTP(packet)
	}
}

// The last publisher's tracks.
type room struct {
	mutex   sync.Mutex
	sources map[webrtc.RTPCodecType]*source
}

// The kinds are those of the publisher's offer.
func (r *room) addPublisher(connection *webrtc.PeerConnection, kinds []webrtc.RTPCodecType) error {
	sources := map[webrtc.RTPCodecType]*source{}
	for _, kind := range kinds {
		local, err := webrtc.NewTrackLocalStaticRTP(codecOf(kind).RTPCodecCapability, kind.String(), "pion-sfu")
		if err != nil {
			return err
		}
		sources[kind] = &source{kind: kind, local: local, publisher: connection}
	}
	connection.OnTrack(func(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		if s := sources[remote.Kind()]; s != nil {
			go shared.ReadRTCP(receiver.Read, func(rtcp.Packet) {})
			s.forward(remote)
		}
	})
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.sources = sources
	return nil
}

func (r *room) removePublisher(connection *webrtc.PeerConnection) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for kind, s := range r.sources {
		if s.publisher == connection {
			delete(r.sources, kind)
		}
	}
}

func (r *room) addViewer(connection *webrtc.PeerConnection, kinds []webrtc.RTPCodecType) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if len(r.sources) == 0 {
		return errNobodyPublishes
	}
	for _, kind := range kinds {
		s := r.sources[kind]
		if s == nil {
			continue
		}
		sender, err := connection.AddTrack(s.local)
		if err != nil {
			return err
		}
		go shared.ReadRTCP(sender.Read, s.onFeedback)
	}
	return nil
}

func (r *room) askForKeyFrames() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, s := range r.sources {
		s.askForKeyFrame()
	}
}

func (s *source) onFeedback(packet rtcp.Packet) {
	if shared.AsksForKeyFrame(packet) {
		s.askForKeyFrame()
	}
}
