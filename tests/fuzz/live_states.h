// What targets that read the states of calls have in common. A program that includes it links
// sluice_test_allocations.
#pragma once

#include <sluice/transport/transport_state.h>

#include <cstdint>
#include <utility>

#include "connection/live_session.h"
#include "fuzz/check.h"
#include "live_transport.h"
#include "support/allocations.h"
#include "support/endpoints.h"
#include "support/fixed_identity.h"

namespace sluice::fuzz {

// Reading takes no memory for what is only claimed. The largest for its bytes is a stream of 14,
// which takes some 100, in a list that has grown double, and a node of a set.
template <class Read>
auto read_in_bounds(dtls::Bytes bytes, const Read& read) {
  constexpr std::int64_t kMost = 64;
  constexpr std::int64_t kConstant = 16384;
  test::reset_peak();
  const auto before = test::allocations().bytes;
  auto outcome = read(bytes);
  const auto taken = test::allocations().peak_bytes - before;
  SLUICE_CHECK(taken <= kConstant + kMost * static_cast<std::int64_t>(bytes.size()));
  if (!outcome) SLUICE_CHECK(outcome.error().code == dtls::Errc::decode_error);
  return outcome;
}

// A call's state with the policy of a Config that takes it, which no input would guess.
struct FittingState {
  dtls::ConfigPtr config;
  dtls::Buffer bytes;  // of a transport::TransportState
};
inline FittingState fitting(const transport::LiveTransport& live) {
  using namespace dtls;
  static const Identity kIdentity =
      test::must(Identity::from_pem(test::kCertificate, test::kPrivateKey));
  auto session = test::must(connection::LiveSession::decode(live.session));
  ConfigOptions options;
  options.identities = {kIdentity};
  options.return_routability = ReturnRoutability::none;
  const auto& ids = session.connection_ids;
  if (ids) options.connection_id_size = ids->own.empty() ? 0 : ids->own.front().size();
  FittingState made{.config = test::make_config(std::move(options)), .bytes = {}};
  session.policy = test::must(
      handshake::policy_of(test::environment().library(), made.config->options(), session.role));
  const Buffer with_policy = session.encode();
  transport::LiveTransport changed = live;
  changed.session = with_policy;
  made.bytes = changed.encode();
  return made;
}

}  // namespace sluice::fuzz
