#include "negotiation/groups.h"

#include <span>

#include "crypto/key_exchange.h"
#include "crypto/library.h"

namespace sluice::dtls::handshake {
namespace {

constexpr std::array kServerDefaults{NamedGroup::x25519_mlkem768, NamedGroup::x25519,
                                     NamedGroup::secp256r1, NamedGroup::secp384r1};

std::span<const NamedGroup> defaults_of(Role role) {
  const std::span all(kServerDefaults);
  return role == Role::server ? all : all.subspan(1);
}

}  // namespace

bool is_of_version(NamedGroup group, ProtocolVersion version) {
  return version == ProtocolVersion::dtls13 || !crypto::is_kem(group);
}

Groups usable_groups(const ConfigOptions& config, const crypto::Library& library, Role role,
                     ProtocolVersion highest) {
  const std::span listed(config.groups);
  Groups groups;
  for (const NamedGroup group : listed.empty() ? defaults_of(role) : listed) {
    if (is_of_version(group, highest) && library.has(group)) groups.add(group);
  }
  return groups;
}

}  // namespace sluice::dtls::handshake

namespace sluice::dtls {

std::vector<NamedGroup> ConfigOptions::default_groups(Role role) {
  const auto defaults = handshake::defaults_of(role);
  return {defaults.begin(), defaults.end()};
}

}  // namespace sluice::dtls
