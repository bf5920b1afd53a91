#include "scenario/sfu/sfu_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include <sluice/rtp/extension.h>

namespace sluice::interop::sfu {
namespace {

using test::must;

constexpr std::array<std::uint8_t, 2> kPayloadTypes = {111, 96};
constexpr rtp::ExtensionId kPublishersMid{4};
constexpr rtp::ExtensionId kPublishersRid{5};
constexpr rtp::ExtensionId kPublishersTransportNumber{6};

dtls::UdpEndpoint address_of(std::size_t peer) {
  return {dtls::Ipv4Address{192, 0, 2, 1}, static_cast<std::uint16_t>(5000 + peer)};
}

dtls::Fingerprint own_fingerprint(const dtls::ConfigOptions& options) {
  return must(dtls::Fingerprint::of(options.identities.front().certificate(),
                                    dtls::HashAlgorithm::sha256, test::environment()));
}

std::string session_lines(std::size_t sections) {
  std::string group = "a=group:BUNDLE";
  for (std::size_t i = 0; i < sections; ++i) group += " " + std::to_string(i);
  return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" + group +
         "\r\na=ice-ufrag:client\r\na=ice-pwd:the-password-of-the-client\r\na=fingerprint:" +
         own_fingerprint(test::options()).to_sdp() + "\r\na=setup:actpass\r\n";
}

std::string section_lines(std::size_t mid, const std::string& direction) {
  return "a=mid:" + std::to_string(mid) + "\r\na=rtcp-mux\r\na=" + direction + "\r\n";
}

}  // namespace

rtp::Ssrc Peer::ssrc(std::size_t section) const {
  const auto line = answer.media.at(section).attributes.find("ssrc").value_or("0");
  return rtp::Ssrc{static_cast<std::uint32_t>(std::stoul(std::string{line}))};
}

SfuWorld::SfuWorld(SfuOptions options, const Workplace& workplace)
    : options_(options),
      server_(must(ice_lite::IceLiteServer::make({}, test::environment()))),
      sfu(std::move(options),
          {.dtls = test::make_config(dtls_),
           .fingerprint = own_fingerprint(dtls_),
           .announced = {{.address = kServer}}},
          server_, outlet_, workplace) {}

void SfuWorld::take_from_workers() {
  EXPECT_TRUE(sfu.take_from_workers(now));
  drain();
  settle();
}

dtls::SecretBytes SfuWorld::leave() {
  auto left = encode(sfu.move_out(now));
  drain();
  return left;
}

// Another server and another Sfu in the place of these.
void SfuWorld::begin_anew(const Workplace& workplace) {
  std::destroy_at(&sfu);
  server_ = must(ice_lite::IceLiteServer::make({}, test::environment()));
  std::construct_at(
      &sfu, options_,
      SfuIdentity{.dtls = test::make_config(dtls_), .fingerprint = own_fingerprint(dtls_)}, server_,
      outlet_, workplace);
}

std::size_t SfuWorld::go_on(dtls::Bytes left, dtls::Duration away) {
  begin_anew();
  now += away;
  const auto moved = decode_moved_sfu(left);
  if (!moved) throw std::runtime_error(moved.error());
  const std::size_t restored = sfu.move_in(*moved, away, now);
  drain();
  settle();
  return restored;
}

std::set<char> SfuWorld::letters(Peer& viewer) {
  std::set<char> found;
  for (const auto& packet : packets(viewer, kVideo)) {
    found.insert(static_cast<char>(packet.payload.back()));
  }
  viewer.client->rtp.clear();
  return found;
}

std::set<std::uint32_t> SfuWorld::sources_asked(Peer& publisher) {
  std::set<std::uint32_t> sources;
  for (const auto& request : received<rtp::PictureLossIndication>(publisher)) {
    sources.insert(rtp::number(request.media));
  }
  publisher.client->rtcp.clear();
  return sources;
}

std::string SfuWorld::publisher_offer(const std::string& video) {
  return session_lines(2) + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" + section_lines(0, "sendonly") +
         "a=rtpmap:111 opus/48000/2\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
         "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
         "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n" +
         section_lines(1, "sendonly") + "a=rtpmap:96 " + video +
         "/90000\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
         "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n";
}

std::string SfuWorld::simulcast_offer() {
  return publisher_offer() +
         "a=rtcp-fb:96 nack\r\na=rtcp-fb:96 transport-cc\r\n"
         "a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
         "a=extmap:6 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
         "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send h;m;l\r\n";
}

// With other payload types and IDs than the publisher's.
std::string SfuWorld::viewer_offer(std::size_t seats, bool has_rtx) {
  std::string offer = session_lines(2 * seats);
  for (std::size_t seat = 0; seat < seats; ++seat) {
    offer += "m=audio 9 UDP/TLS/RTP/SAVPF 109\r\n" + section_lines(2 * seat, "recvonly") +
             "a=rtpmap:109 opus/48000/2\r\n"
             "a=extmap:7 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
             "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
             "m=video 9 UDP/TLS/RTP/SAVPF 120 121 122 123\r\n" +
             section_lines(2 * seat + 1, "recvonly") +
             "a=rtpmap:120 VP8/90000\r\na=rtcp-fb:120 nack\r\na=rtcp-fb:120 nack pli\r\n"
             "a=rtcp-fb:120 ccm fir\r\na=rtpmap:121 VP9/90000\r\n"
             "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
             "a=rtcp-fb:120 goog-remb\r\n"
             "a=extmap:8 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n";
    if (!has_rtx) continue;
    offer +=
        "a=rtpmap:122 rtx/90000\r\na=fmtp:122 apt=120\r\n"
        "a=rtpmap:123 rtx/90000\r\na=fmtp:123 apt=121\r\n";
  }
  return offer;
}

CreateResult SfuWorld::publish(const std::string& offer, const std::string& room,
                               const std::string& address) {
  const Offer read = read_offer(offer).value();
  return sfu.publish(room, read, agree_on_publishing(read), address, now);
}

CreateResult SfuWorld::watch(const std::string& offer, const std::string& room,
                             const std::string& address) {
  Offer read = read_offer(offer).value();
  const auto agreement = agree_on_viewing(read, random_ssrc);
  return sfu.watch(room, read, agreement, address, now);
}

Peer& SfuWorld::publisher(const std::string& offer) { return connect(publish(offer)); }
Peer& SfuWorld::viewer(const std::string& offer) { return connect(watch(offer)); }

Peer& SfuWorld::connect(const CreateResult& created) {
  if (!created) throw std::runtime_error(created.error().sentence);
  auto peer = std::make_unique<Peer>(Peer{.id = created->id,
                                          .answer = parse_sdp(created->answer).value(),
                                          .address = address_of(peers_.size())});
  const auto& attributes = peer->answer.media.front().attributes;
  auto media = must(
      transport::MediaTransport::make({.dtls = test::make_config(dtls_)}, test::environment()));
  const auto fingerprint = own_fingerprint(dtls_);
  static_cast<void>(must(media.start(dtls::Role::client, now)));
  static_cast<void>(must(media.set_peer_fingerprints({&fingerprint, 1}, now)));
  test::IceClientOptions options;
  options.remote = {.ufrag = std::string{attributes.find("ice-ufrag").value_or("")},
                    .pwd = std::string{attributes.find("ice-pwd").value_or("")}};
  options.candidates = {peer->address};
  options.seed = peers_.size() + 1;
  peer->client =
      std::make_unique<test::IceClient>(std::move(options), test::environment(), std::move(media));
  peers_.push_back(std::move(peer));
  Peer& added = *peers_.back();
  added.client->begin(now);
  run_for(std::chrono::milliseconds{500});
  if (!added.client->connected_at) throw std::runtime_error("a peer did not connect");
  return added;
}

void SfuWorld::to_server(std::vector<test::IceClient::Outgoing> datagrams,
                         const dtls::UdpEndpoint& from) {
  std::vector<dtls::ReceivedDatagram> batch;
  for (auto& [candidate, bytes] : datagrams) {
    batch.push_back({.bytes = bytes, .path = {.peer = from, .own = kServer}});
  }
  for (std::span<const dtls::ReceivedDatagram> rest = batch; !rest.empty();) {
    rest = rest.subspan(server_.handle_datagrams(rest, now).taken);
    drain();
  }
}

void SfuWorld::to_server(dtls::Buffer bytes, const dtls::UdpEndpoint& from) {
  to_server({{.candidate = 0, .bytes = std::move(bytes)}}, from);
}

void SfuWorld::to_peer(dtls::Buffer bytes, const dtls::UdpPath& path) {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (peers_[i]->address != path.peer) continue;
    if (peers_[i]->loses == 0)
      return static_cast<void>(under_way_.emplace_back(i, std::move(bytes)));
    --peers_[i]->loses;
    return;
  }
  if (to_others) to_others(std::move(bytes), path);
}

void SfuWorld::drain() {
  std::array<std::byte, dtls::kMaxDatagram> buffer{};
  const auto transmit = [&] {
    while (const auto sent = server_.poll_transmit(buffer)) {
      to_peer(dtls::Buffer(buffer.begin(), buffer.begin() + static_cast<long>(sent->size)),
              sent->path);
    }
  };
  transmit();
  sfu.drain(now);
  transmit();
}

void SfuWorld::settle() {
  for (bool is_busy = true; is_busy;) {
    auto arriving = std::exchange(under_way_, {});
    is_busy = !arriving.empty();
    for (auto& [peer, bytes] : arriving) peers_[peer]->client->handle_datagram(bytes, 0, now);
    is_busy |= act();
    for (const auto& peer : peers_) {
      auto outgoing = peer->client->take();
      is_busy |= !outgoing.empty();
      to_server(std::move(outgoing), peer->address);
    }
  }
}

void SfuWorld::run_for(dtls::Duration duration) {
  constexpr std::chrono::milliseconds kStep{10};
  const auto until = now + duration;
  for (settle(); now < until; settle()) {
    now += kStep;
    server_.handle_timeout(now);
    if (const auto next = sfu.next_timeout(); next && *next <= now) sfu.handle_timeout(now);
    drain();
    for (const auto& peer : peers_) {
      const auto next = peer->client->next_timeout();
      if (next && *next <= now) peer->client->handle_timeout(now);
    }
  }
}

void SfuWorld::send(Peer& publisher, const MediaFields& fields) {
  std::array<std::byte, 64> space{};
  rtp::ExtensionWriter writer(rtp::ExtensionForm::one_byte, space);
  const std::string mid = std::to_string(fields.section);
  static_cast<void>(writer.add(kPublishersMid, std::as_bytes(std::span(mid))));
  const std::array level{std::byte{0x85}};
  if (fields.section == 0) static_cast<void>(writer.add(rtp::ExtensionId{1}, level));
  if (!fields.rid.empty()) {
    static_cast<void>(writer.add(kPublishersRid, std::as_bytes(std::span(fields.rid))));
  }
  if (fields.transport_number) {
    std::array<std::byte, rtp::kTransportSequenceNumberSize> value{};
    rtp::write_transport_sequence_number(value, rtp::SequenceNumber{*fields.transport_number});
    static_cast<void>(writer.add(kPublishersTransportNumber, value));
  }
  const rtp::Packet packet{
      .payload_type = rtp::PayloadType{fields.payload_type != 0 ? fields.payload_type
                                                                : kPayloadTypes.at(fields.section)},
      .sequence_number = rtp::SequenceNumber{fields.number},
      .timestamp = rtp::Timestamp{fields.timestamp},
      .ssrc = rtp::Ssrc{fields.ssrc != 0 ? fields.ssrc : kSources.at(fields.section)},
      .has_extension = true,
      .extension = *writer.finish(),
      .payload = std::as_bytes(std::span(fields.payload))};
  test::Packet plain(1500);
  plain.resize(*rtp::write_packet(packet, plain));
  send_rtp(publisher, plain);
}

void SfuWorld::send_rtp(Peer& publisher, const test::Packet& plain) {
  if (!publisher.client->send_rtp(plain)) throw std::runtime_error("RTP can't be sent");
  settle();
}

void SfuWorld::send_rtcp(Peer& peer, rtp::Bytes compound) {
  dtls::Buffer bytes(compound.begin(), compound.end());
  bytes.resize(bytes.size() + srtp::kMaxTrailer);
  const auto size = peer.client->transport.protect_rtcp(bytes, compound.size());
  if (!size) throw std::runtime_error("RTCP can't be sent");
  bytes.resize(*size);
  to_server({{.candidate = 0, .bytes = std::move(bytes)}}, peer.address);
  settle();
}

std::vector<rtp::Packet> SfuWorld::packets(const Peer& peer, std::size_t section) {
  std::vector<rtp::Packet> found;
  for (const auto& bytes : peer.client->rtp) {
    const auto packet = rtp::read_packet(bytes);
    if (packet && packet->ssrc == peer.ssrc(section)) found.push_back(*packet);
  }
  return found;
}

}  // namespace sluice::interop::sfu
