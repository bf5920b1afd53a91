// A shim for BoringSSL's test runner "BoGo", which starts it once a test: docs/bogo.md.
#include <iostream>
#include <string_view>
#include <vector>

#include "bogo/association.h"
#include "bogo/engine_config.h"

namespace {

using sluice::bogo::Flags;
using sluice::bogo::Outcome;

Outcome failure(const sluice::dtls::Error& error) {
  return tl::unexpected(sluice::dtls::to_string(error, sluice::dtls::SourcePlace::include));
}

// What one connection leaves to the next.
struct Legacy {
  std::shared_ptr<sluice::dtls::TicketKeys> ticket_keys =
      std::make_shared<sluice::dtls::TicketKeys>();
  std::shared_ptr<sluice::dtls::ResumptionStore> store =
      std::make_shared<sluice::dtls::ResumptionStore>();
  std::optional<sluice::dtls::ResumableSession> session = {};
  std::optional<sluice::dtls::ProtocolVersion> version = {};
  sluice::bogo::VirtualClock clock = {};
};

Outcome run(const Flags& flags, const std::vector<sluice::dtls::Identity>& identities,
            sluice::dtls::Environment& environment, Legacy& legacy) {
  auto config = sluice::bogo::make_config(flags, identities, legacy.ticket_keys);
  if (!config) return failure(config.error());
  auto link = sluice::bogo::Link::connect(flags.port, flags.ipv6, flags.shim_id);
  if (!link) return tl::unexpected(link.error());
  constexpr sluice::dtls::PathId kPath{1};
  const auto now = legacy.clock.now();
  const bool is_client = flags.role == sluice::dtls::Role::client;
  if (is_client && flags.is_resumption && !legacy.session) {
    return tl::unexpected(std::string("no session to offer"));
  }
  const auto offered = std::exchange(legacy.session, {});
  auto connection =
      is_client
          ? sluice::dtls::Connection::client(std::move(*config), environment, kPath, now, offered)
          : sluice::dtls::Connection::server(std::move(*config), environment, kPath, now);
  if (!connection) return failure(connection.error());
  sluice::bogo::Association association(std::move(*connection), flags, *link, legacy.clock,
                                        *legacy.store, offered, identities);
  Outcome outcome = association.run();
  legacy.session = association.session();
  legacy.version = association.version();
  legacy.clock.advance(flags.resumption_delay);
  return outcome;
}

int unimplemented(std::string_view what) {
  std::cerr << "unimplemented: " << what << '\n';
  return sluice::bogo::kUnimplemented;
}

int failed(std::string_view why) {
  // The runner takes what follows the last line for a sanitizer's report.
  std::cerr << why << "\n--- DONE ---\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const auto flags = sluice::bogo::parse(arguments);
  if (!flags) return unimplemented(flags.error());
  if (flags->asks_for_handshaker) {
    std::cout << "No\n";
    return 0;
  }

  auto environment = sluice::dtls::Environment::make();
  if (!environment) return failed(sluice::dtls::to_string(environment.error()));
  auto identities = sluice::bogo::load_identities(*flags, *environment);
  if (!identities && identities.error().code == sluice::dtls::Errc::unsupported_certificate) {
    return unimplemented(sluice::dtls::to_string(identities.error()));
  }
  if (!identities) return failed(sluice::dtls::to_string(identities.error()));
  if (!sluice::bogo::has_groups(*flags, *environment)) return unimplemented("-curves");
  Legacy legacy;
  Outcome outcome = run(*flags, *identities, *environment, legacy);
  for (unsigned i = 0; outcome && i < flags->resume_count; ++i) {
    const auto again = sluice::bogo::parse(arguments, sluice::bogo::Connection::resumption);
    if (!again) return unimplemented(again.error());
    outcome = run(*again, *identities, *environment, legacy);
  }
  return outcome ? 0 : failed(outcome.error());
}
