// A forwarding server (SFU): what the first peer sends, all others receive, on one UDP port. The
// peers in this program stand for browsers.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <list>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <sluice/dtls/identity.h>
#include <sluice/ice_lite/description.h>
#include <sluice/ice_lite/forward.h>
#include <sluice/rtp/rtcp.h>
#include <sluice/udp/driver.h>

#include "loopback_peer.h"

namespace dtls = sluice::dtls;
namespace ice_lite = sluice::ice_lite;
namespace rtp = sluice::rtp;
namespace srtp = sluice::srtp;
namespace transport = sluice::transport;
namespace udp = sluice::udp;

class ForwardingServer {
 public:
  using Driver = udp::Driver<ice_lite::IceLiteServer>;

  explicit ForwardingServer(udp::Socket socket)
      : announced_{{{socket.own()}}},
        driver_(
            Driver::make(ice_lite::IceLiteServer::make({}, environment_).value(), std::move(socket))
                .value()) {}

  // A peer's offer has come: the answer's lines about the transport. The first one is the sender.
  std::optional<std::string> answer(const std::string& peers_ufrag,
                                    const std::vector<dtls::Fingerprint>& peers_fingerprints) {
    ice_lite::SessionOptions options;
    options.transport.dtls = config_;
    options.remote_ufrag = peers_ufrag;
    options.peer_fingerprints = peers_fingerprints;
    const auto session = driver_.server().add_session(options, udp::now());
    if (!session) return std::nullopt;
    if (!sender_) sender_ = *session;
    return std::string(ice_lite::kSessionLines) +  // before the first m= line
           ice_lite::media_lines(*driver_.server().local_credentials(*session), announced_) +
           "a=setup:passive\r\na=fingerprint:" + fingerprint_.to_sdp() + "\r\n";
  }

  // Readable when turn() has something to do.
  [[nodiscard]] int descriptor() const { return driver_.descriptor(); }
  void turn() {
    driver_.turn([this] { drain(); });
  }

 private:
  // A peer that receives, and its stream.
  struct Receiver {
    rtp::ForwardedStream stream;
    rtp::SequenceNumber next_transport_number;
  };

  void drain() {
    packets_.clear();
    while (const auto media = driver_.server().poll_media()) {
      if (media->kind == transport::MediaKind::rtcp) {
        ask_for_key_frame(media->packet);
      } else if (media->session == sender_) {
        if (const auto packet = rtp::read_packet(media->packet)) packets_.push_back(*packet);
      }
    }
    if (!packets_.empty()) source_ = packets_.back().ssrc;
    // All that has come in one turn, to each receiver.
    forward(driver_.server(), std::span<const rtp::Packet>(packets_),
            std::span<const ice_lite::Forward>(forwards_), udp::now(), driver_, counts_);
    while (const auto data = driver_.server().poll_data()) continue;  // of data channels
    while (const auto event = driver_.server().poll_event()) on_event(*event);
  }

  void on_event(const ice_lite::Event& event) {
    if (std::holds_alternative<ice_lite::Connected>(event.what) && event.session != sender_) {
      // What this peer's SDP has agreed on.
      rtp::ForwardOptions options{.ssrc = rtp::Ssrc{1000}};
      options.payload_types[96] = rtp::PayloadType{102};
      options.transport_sequence_number = rtp::ExtensionId{3};
      auto stream = rtp::ForwardedStream::make(options);
      if (!stream) return;
      auto& added = receivers_.emplace_back(*std::move(stream), rtp::SequenceNumber{});
      forwards_.push_back({event.session, &added.stream, &added.next_transport_number});
    } else if (std::holds_alternative<ice_lite::Expired>(event.what)) {
      // Most peers leave without a word.
      driver_.server().remove(event.session);
      forget(event.session);
    } else if (std::holds_alternative<ice_lite::Ended>(event.what)) {
      forget(event.session);
    }
  }

  void forget(ice_lite::SessionHandle session) {
    if (sender_ == session) sender_.reset();
    const auto found = std::ranges::find(forwards_, session, &ice_lite::Forward::session);
    if (found == forwards_.end()) return;
    receivers_.remove_if([&](const Receiver& each) { return &each.stream == found->stream; });
    forwards_.erase(found);
  }

  // The sender makes a key frame when a receiver lacks one (RFC 4585 section 6.3.1).
  void ask_for_key_frame(rtp::Bytes compound) {
    rtp::CompoundReader reader(compound);
    while (const auto packet = reader.next()) {
      if (!*packet || !std::holds_alternative<rtp::PictureLossIndication>(**packet)) continue;
      if (!sender_) return;
      auto room = driver_.room(100 + srtp::kMaxTrailer);
      rtp::CompoundWriter writer(rtp::CompoundForm::reduced_size, room.first(100));
      if (!writer.add(rtp::PictureLossIndication{.sender = rtp::Ssrc{1}, .media = source_})) return;
      const auto sent = driver_.server().protect_rtcp(*sender_, room, writer.compound().size());
      if (sent) driver_.commit(sent->size, sent->path);
    }
  }

  dtls::Environment environment_ = dtls::Environment::make().value();
  dtls::Identity identity_ = dtls::Identity::self_signed(environment_).value();
  dtls::ConfigPtr config_ = dtls::Config::make({.identities = {identity_}}).value();
  dtls::Fingerprint fingerprint_ =
      dtls::Fingerprint::of(identity_.certificate(), dtls::HashAlgorithm::sha256, environment_)
          .value();
  std::array<ice_lite::AnnouncedAddress, 1> announced_;
  Driver driver_;
  std::optional<ice_lite::SessionHandle> sender_;
  rtp::Ssrc source_{};
  std::list<Receiver> receivers_;
  std::vector<ice_lite::Forward> forwards_;
  std::vector<rtp::Packet> packets_;
  ice_lite::ForwardCounts counts_;
};

int main() {
  constexpr std::size_t kPeers = 4;  // one sends
  auto socket = udp::Socket::bind(dtls::to_socket_address({dtls::Ipv4Address{127, 0, 0, 1}, 0}));
  if (!socket) return 1;
  const dtls::UdpEndpoint address = socket->own();
  ForwardingServer server(*std::move(socket));
  std::list<example::LoopbackPeer> peers;
  std::vector<pollfd> readable{{.fd = server.descriptor(), .events = POLLIN, .revents = 0}};
  for (std::size_t i = 0; i < kPeers; ++i) {
    auto& peer = peers.emplace_back(example::loopback_socket(), udp::now);
    const auto answer = server.answer("peer", {peer.fingerprint()});
    if (!answer || !peer.begin(*answer, address)) return 1;
    readable.push_back({.fd = peer.socket(), .events = POLLIN, .revents = 0});
  }

  // RTP with payload type 96, again and again until each receiver has had one.
  std::array<std::byte, 12 + 100> packet{std::byte{0x80}, std::byte{96}};
  std::uint16_t sequence = 0;
  std::vector<bool> has_received(kPeers);
  has_received[0] = true;
  const auto until = udp::now() + std::chrono::seconds{30};
  while (std::ranges::count(has_received, false) > 0 && udp::now() < until) {
    poll(readable.data(), readable.size(), 10);
    server.turn();
    std::size_t i = 0;
    for (auto& peer : peers) {
      if (peer.turn()) has_received[i] = true;
      ++i;
    }
    if (!peers.front().connected()) continue;
    rtp::set_sequence_number(packet, rtp::SequenceNumber{sequence++});
    peers.front().send_rtp(packet);
  }
  for (const auto& peer : peers) close(peer.socket());
  const auto received = std::ranges::count(has_received, true) - 1;
  std::cout << received << " of " << kPeers - 1 << " receivers got packets\n";
  return received == kPeers - 1 ? 0 : 1;
}
