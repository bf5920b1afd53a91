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
  return tl::unexpected(sluice::dtls::to_string(error));
}

Outcome run(const Flags& flags, sluice::dtls::ConfigPtr config,
            sluice::dtls::Environment& environment) {
  auto link = sluice::bogo::Link::connect(flags.port, flags.ipv6, flags.shim_id);
  if (!link) return tl::unexpected(link.error());
  sluice::bogo::VirtualClock clock;
  constexpr sluice::dtls::PathId kPath{1};
  auto connection =
      flags.role == sluice::dtls::Role::client
          ? sluice::dtls::Connection::client(std::move(config), environment, kPath, clock.now())
          : sluice::dtls::Connection::server(std::move(config), environment, kPath, clock.now());
  if (!connection) return failure(connection.error());
  sluice::bogo::Association association(std::move(*connection), flags, *link, clock);
  return association.run();
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
  auto identity = sluice::bogo::load_identity(*flags, *environment);
  if (!identity && identity.error().code == sluice::dtls::Errc::unsupported_certificate) {
    return unimplemented(sluice::dtls::to_string(identity.error()));
  }
  if (!identity) return failed(sluice::dtls::to_string(identity.error()));
  auto config = sluice::bogo::make_config(*flags, std::move(*identity));
  if (!config) return failed(sluice::dtls::to_string(config.error()));

  const Outcome outcome = run(*flags, std::move(*config), *environment);
  return outcome ? 0 : failed(outcome.error());
}
