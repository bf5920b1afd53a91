// The states of sessions of an IceLiteServer that move: what is read is written again in the same
// way, takes no memory for what is only claimed, and is restored with an Error, or as a session
// that works, moves again and leaves nothing. The policy of its DTLS session is replaced by the
// right one.
#include <sluice/ice_lite/ice_lite_server.h>

#include <algorithm>
#include <array>
#include <string>

#include "fuzz/check.h"
#include "fuzz/input.h"
#include "fuzz/live_states.h"
#include "live_session.h"
#include "support/ice_checks.h"
#include "support/rtp_packets.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using namespace std::chrono_literals;
using ice_lite::IceLiteServer;
using ice_lite::LiveSession;
using ice_lite::SessionHandle;
using test::must;

void drain(IceLiteServer& server) {
  std::array<std::byte, kMaxDatagram> out{};
  while (server.poll_transmit(out)) continue;
  while (server.poll_data()) continue;
  while (server.poll_media()) continue;
  while (server.poll_event()) continue;
}

// A check of the peer, a packet that is not its own, and some time.
void use(IceLiteServer& server, SessionHandle session, const LiveSession& live, Instant now) {
  const auto local = server.local_credentials(session).value();
  const auto& newest = live.newer ? *live.newer : live.credentials;
  const std::string remote =
      newest.remote_ufrag.empty() ? "peer" : std::string(newest.remote_ufrag);
  const UdpPath path = live.tuples.empty() ? UdpPath{} : live.tuples.front().path;
  auto check = test::make_check(
      {.username = local.ufrag + ":" + remote, .pwd = local.pwd, .use_candidate = true});
  server.handle_datagram(check, path, now);
  SLUICE_CHECK(server.statistics().checks == 1);
  SLUICE_CHECK(server.find(path) == session && server.path_of(session));
  drain(server);
  auto packet = test::make_rtp();
  server.handle_datagram(packet, path, now);
  SLUICE_CHECK(!server.poll_media() && !server.poll_data());
  auto protect = test::make_rtp();
  const auto size = protect.size();
  protect.resize(size + srtp::kMaxTrailer);
  static_cast<void>(server.protect_rtp(session, protect, size));
  drain(server);
}

void try_state(Bytes bytes) {
  const auto live = read_in_bounds(bytes, &LiveSession::decode);
  const auto state = read_in_bounds(bytes, &ice_lite::SessionState::parse);
  SLUICE_CHECK(live || !state);
  if (!live) return;
  SLUICE_CHECK(std::ranges::equal(live->encode(), bytes));
  if (!state) return;

  const auto [config, fitted] = fitting(must(transport::LiveTransport::decode(live->transport)));
  LiveSession changed = *live;
  changed.transport = fitted;
  auto server = must(IceLiteServer::make({.max_tuples_per_session = 64}, test::environment()));
  const Instant now{1h};
  const auto session = server.restore(must(ice_lite::SessionState::parse(changed.encode())),
                                      {.transport = {.dtls = config}}, now);
  if (!session) {
    SLUICE_CHECK(server.size() == 0 && server.tuples() == 0);
    return;
  }
  SLUICE_CHECK(server.find(*session)->connected() && server.tuples() == live->tuples.size());
  const auto path = server.path_of(*session);
  SLUICE_CHECK(!path || server.find(*path) == *session);
  drain(server);
  use(server, *session, *live, now);
  server.handle_timeout(now + 1s);
  drain(server);
  const auto again = server.export_session(*session, now + 1s);
  if (again) SLUICE_CHECK(ice_lite::SessionState::parse(again->bytes()).has_value());
  server.remove(*session);
  SLUICE_CHECK(server.size() == 0 && server.tuples() == 0);
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  fuzz::try_state(test::copy_of(fuzz::bytes_of(data, size)));
  return 0;
}
