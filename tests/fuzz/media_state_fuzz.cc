// The states of calls that move, SrtpState and TransportState: what is read is written again in the
// same way, takes no memory for what is only claimed, and is restored with an Error or as a session
// that works and moves again. The first byte of the input says which of the two follows. The policy
// of a TransportState's session is replaced by the right one, which no input would guess.
#include <sluice/transport/media_transport.h>

#include <algorithm>
#include <array>

#include "fuzz/check.h"
#include "fuzz/input.h"
#include "fuzz/live_states.h"
#include "state_form.h"
#include "support/rtp_packets.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using srtp::Session;
using srtp::StreamStates;
using test::must;
using test::Packet;
using transport::LiveTransport;
using transport::MediaTransport;
using transport::TransportState;

constexpr PathId kPath{1};
constexpr std::uint32_t kOtherSsrc = 0xfeed;

// ---- packets

Packet with_room(Packet packet) {
  packet.resize(packet.size() + srtp::kMaxTrailer);
  return packet;
}

// No index is used twice: what was sent comes back as an error, or as it was.
void send(Session& session, std::uint32_t ssrc, std::uint64_t sequence) {
  const Packet rtp =
      test::make_rtp({.ssrc = ssrc, .sequence = static_cast<std::uint16_t>(sequence & 0xffff)});
  Packet first = with_room(rtp);
  const auto sent = session.protect_rtp(first, rtp.size());
  if (sent) {
    Packet second = with_room(rtp);
    const auto again = session.protect_rtp(second, rtp.size());
    SLUICE_CHECK(!again || second == first);
  }
  const Packet rtcp = test::make_rtcp(ssrc);
  Packet report = with_room(rtcp);
  Packet next = with_room(rtcp);
  const auto one = session.protect_rtcp(report, rtcp.size());
  const auto other = session.protect_rtcp(next, rtcp.size());
  SLUICE_CHECK(!one || !other || report != next);
}

// What the peer sends is taken at most once, and what is not authentic never.
void receive(Session& session, Session& peer, std::uint32_t ssrc, std::uint64_t sequence) {
  const Packet rtp =
      test::make_rtp({.ssrc = ssrc, .sequence = static_cast<std::uint16_t>(sequence & 0xffff)});
  Packet sealed = with_room(rtp);
  const auto size = peer.protect_rtp(sealed, rtp.size());
  if (!size) return;
  sealed.resize(*size);
  Packet forged = sealed;
  forged.back() ^= std::byte{1};
  SLUICE_CHECK(!session.unprotect_rtp(forged));
  Packet copy = sealed;
  const auto taken = session.unprotect_rtp(copy);
  if (taken) SLUICE_CHECK(std::ranges::equal(Bytes(copy).first(*taken), rtp));
  copy = sealed;
  SLUICE_CHECK(!session.unprotect_rtp(copy));
}

void use(Session& session, const StreamStates& states) {
  Session peer = Session::make(test::make_srtp_keys(states.profile).server).value();
  for (const auto& stream :
       std::span(states.outbound).first(std::min<std::size_t>(states.outbound.size(), 3))) {
    const auto highest = stream.rtp.highest().value_or(0);
    for (const auto sequence : {highest, highest - 1, highest + 1}) {
      send(session, stream.ssrc, sequence);
    }
    if (stream.rtp.highest()) {
      const Packet again = test::make_rtp(
          {.ssrc = stream.ssrc, .sequence = static_cast<std::uint16_t>(highest & 0xffff)});
      Packet buffer = with_room(again);
      SLUICE_CHECK(!session.protect_rtp(buffer, again.size()));
    }
  }
  for (const auto ssrc :
       std::span(states.retired).first(std::min<std::size_t>(states.retired.size(), 3))) {
    Packet buffer = with_room(test::make_rtp({.ssrc = ssrc}));
    SLUICE_CHECK(session.protect_rtp(buffer, buffer.size() - srtp::kMaxTrailer) ==
                 tl::unexpected(srtp::PacketError::ssrc_retired));
  }
  for (const auto& stream :
       std::span(states.inbound).first(std::min<std::size_t>(states.inbound.size(), 3))) {
    for (const std::uint64_t step : {1U, 0U, 5U}) {
      receive(session, peer, stream.ssrc, stream.rtp.highest().value_or(0) + step);
    }
  }
  send(session, kOtherSsrc, 1);
  receive(session, peer, kOtherSsrc, 1);
}

// ---- SrtpState

void try_srtp(Bytes bytes) {
  const auto states = read_in_bounds(bytes, &StreamStates::decode);
  auto state = read_in_bounds(bytes, &srtp::SrtpState::parse);
  SLUICE_CHECK(states.has_value() == state.has_value());
  if (!states) return;
  SLUICE_CHECK(std::ranges::equal(states->encode(), bytes));
  auto session = Session::restore(test::make_srtp_keys(states->profile).client, *std::move(state));
  if (!session) {
    SLUICE_CHECK(session.error() == srtp::SetupError::foreign_state ||
                 session.error() == srtp::SetupError::state_too_large);
    return;
  }
  use(*session, *states);
  const auto again = std::move(*session).export_state();
  const auto read = StreamStates::decode(again.bytes());
  SLUICE_CHECK(read && std::ranges::equal(read->encode(), again.bytes()));
  SLUICE_CHECK(Session::restore(test::make_srtp_keys(states->profile).client,
                                must(srtp::SrtpState::parse(again.bytes())))
                   .has_value());
}

// ---- TransportState

void use(MediaTransport& call, Instant now) {
  Packet out(kMaxDatagram);
  const auto drain = [&] {
    while (call.poll_transmit(out)) continue;
    while (call.poll_data()) continue;
    while (call.poll_media()) continue;
    while (call.poll_event()) continue;
  };
  const Packet rtp = test::make_rtp();
  Packet packet = with_room(rtp);
  static_cast<void>(call.protect_rtp(packet, rtp.size()));
  packet = with_room(test::make_rtcp());
  static_cast<void>(call.protect_rtcp(packet, packet.size() - srtp::kMaxTrailer));
  static_cast<void>(call.seal_data(test::bytes_of("data"), out));
  packet = rtp;
  static_cast<void>(call.handle_datagram(packet, kPath, now));
  packet =
      test::from_hex("17 fefd 0001 000000000001 0014 000102030405060708090a0b0c0d0e0f10111213");
  static_cast<void>(call.handle_datagram(packet, kPath, now));
  SLUICE_CHECK(!call.poll_data() && !call.poll_media());
  drain();
  static_cast<void>(call.path_selected(PathId{2}, std::chrono::milliseconds{20}, now));
  call.set_path_mtu(1200);
  drain();
  for (int i = 0; i < 3; ++i) {
    if (const auto next = call.next_timeout()) static_cast<void>(call.handle_timeout(*next));
    drain();
  }
}

void try_transport(Bytes bytes) {
  const auto live = read_in_bounds(bytes, &LiveTransport::decode);
  const auto state = read_in_bounds(bytes, &TransportState::parse);
  SLUICE_CHECK(live || !state);
  if (!live) return;
  SLUICE_CHECK(std::ranges::equal(live->encode(), bytes));
  if (!state) return;
  SLUICE_CHECK(state->session().has_value());

  const auto [config, fitted] = fitting(*live);
  const Instant now{std::chrono::seconds{1}};
  auto call = MediaTransport::restore({.dtls = config}, test::environment(),
                                      must(TransportState::parse(fitted)), now);
  if (!call) return;
  SLUICE_CHECK(call->connected() && !call->ended());
  use(*call, now);
  const auto blocked = call->export_blocked();
  const auto again = std::move(*call).export_session();
  SLUICE_CHECK(again.has_value() != blocked.has_value());
  if (again) SLUICE_CHECK(TransportState::parse(again->bytes()).has_value());
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  if (size == 0) return 0;
  const dtls::Buffer state = test::copy_of(fuzz::bytes_of(data + 1, size - 1));
  if (data[0] % 2 == 0) {
    fuzz::try_srtp(state);
  } else {
    fuzz::try_transport(state);
  }
  return 0;
}
