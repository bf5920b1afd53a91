#include "fleet_states.h"

#include <algorithm>
#include <stdexcept>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::bench {
namespace {

// The address and the port in front of the state.
constexpr std::size_t kIpv4Size = std::tuple_size_v<dtls::Ipv4Address>;
constexpr std::size_t kPlaceSize = kIpv4Size + 2;

dtls::Bytes state_context() { return test::bytes_of("session"); }

}  // namespace

FleetStates::FleetStates(dtls::Environment& environment) : environment_(environment) {
  test::must(keys_.add(dtls::StateKeyId{1}, test::counted(dtls::StateKeys::kKeySize)));
}

dtls::Buffer FleetStates::seal(const dtls::SessionState& state, const dtls::UdpPath& path) const {
  dtls::Buffer plain;
  plain.reserve(kPlaceSize + state.bytes().size());
  for (const std::uint8_t octet : std::get<dtls::Ipv4Address>(path.peer.address)) {
    plain.push_back(std::byte{octet});
  }
  plain.push_back(static_cast<std::byte>(path.peer.port >> 8));
  plain.push_back(static_cast<std::byte>(path.peer.port & 0xff));
  plain.insert(plain.end(), state.bytes().begin(), state.bytes().end());
  const dtls::SecretBytes secret(std::move(plain));
  return test::must(keys_.seal(environment_, secret.bytes(), state_context()));
}

AsleepSession FleetStates::open(dtls::Bytes sealed) const {
  const auto plain = test::must(keys_.open(environment_, sealed, state_context()));
  const dtls::Bytes bytes = plain.bytes();
  if (bytes.size() < kPlaceSize) throw std::runtime_error("no session of the fleet");
  dtls::Ipv4Address address{};
  std::ranges::transform(bytes.first(kIpv4Size), address.begin(), std::to_integer<std::uint8_t>);
  const auto port =
      std::to_integer<unsigned>(bytes[kIpv4Size]) << 8 | std::to_integer<unsigned>(bytes[5]);
  return {test::must(dtls::SessionState::parse(bytes.subspan(kPlaceSize))),
          {.peer = {address, static_cast<std::uint16_t>(port)}}};
}

}  // namespace sluice::bench
