// The state of a session that moves: what is read is written again in the same way, and what is
// restored takes records, sends, updates its keys and is exported again. The policy of the input is
// replaced by the right one, which no input would guess.
#include <sluice/dtls/connection.h>

#include "connection/live_session.h"
#include "fuzz/check.h"
#include "fuzz/input.h"
#include "support/endpoints.h"
#include "support/suites.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;

ConfigPtr make_permissive(std::optional<std::size_t> connection_id_size) {
  ConfigOptions options = test::options();
  options.cipher_suites = test::all_suites();
  options.max_forgeries_per_key = 1000;
  options.ask_for_psk = true;
  options.peer_authentication = PeerAuthentication::request;
  options.connection_id_size = connection_id_size;
  return test::make_config(options);
}

void use(Connection& connection) {
  const Instant now{std::chrono::seconds{1}};
  Buffer out(kMaxDatagram);
  const auto drain = [&] {
    while (connection.poll_transmit(out)) {
    }
    while (connection.poll_event()) {
    }
  };
  Buffer record = test::from_hex("2f 0001 0014 000102030405060708090a0b0c0d0e0f10111213");
  static_cast<void>(connection.handle_datagram(record, test::kPath, now));
  drain();
  static_cast<void>(connection.seal(test::bytes_of("data"), out));
  static_cast<void>(connection.request_connection_ids(2, now));
  static_cast<void>(connection.renew_connection_id(now));
  static_cast<void>(connection.update_keys(KeyUpdateRequest::update_requested, now));
  drain();
  for (int i = 0; i < 3; ++i) {
    const auto next = connection.next_timeout();
    if (next) static_cast<void>(connection.handle_timeout(*next));
    drain();
  }
  SLUICE_CHECK(connection.info().has_value());
  const auto blocked = connection.export_blocked();
  const auto state = std::move(connection).export_session();
  SLUICE_CHECK(state.has_value() != blocked.has_value());
  if (state) SLUICE_CHECK(SessionState::parse(state->bytes()).has_value());
}

void restore(Bytes bytes) {
  auto session = connection::LiveSession::decode(bytes);
  if (!session) return;
  const Buffer again = session->encode();
  SLUICE_CHECK(std::ranges::equal(again, bytes));
  const SessionState state = test::must(SessionState::parse(bytes));
  SLUICE_CHECK(state.role() == session->role && state.version() == session->version());
  SLUICE_CHECK(std::ranges::equal(state.tag(), session->tag));
  Environment& environment = test::environment();
  const auto& ids = session->connection_ids;
  const ConfigPtr config =
      make_permissive(ids && !ids->own.empty() ? ids->own.front().size() : std::size_t{0});
  session->policy =
      test::must(handshake::policy_of(environment.library(), config->options(), session->role));
  auto restored =
      Connection::restore(config, environment, SessionState(session->encode()), test::kPath, {});
  if (restored) use(*restored);
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::fuzz::restore(sluice::test::copy_of(sluice::fuzz::bytes_of(data, size)));
  return 0;
}
