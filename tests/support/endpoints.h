// Environments, identities and configurations for tests.
#pragma once

#include <sluice/dtls/connection.h>

#include <array>
#include <stdexcept>

#include "support/virtual_network.h"

namespace sluice::test {

// The value, or the end of the test program with the error's words: for set-up that must not fail.
template <class T>
T must(dtls::Result<T> result) {
  if (!result) throw std::runtime_error(to_string(result.error()));
  return *std::move(result);
}

inline void must(const dtls::Result<void>& result) {
  if (!result) throw std::runtime_error(to_string(result.error()));
}

// One for the whole test program, which has one thread.
dtls::Environment& environment();
// A self-signed ECDSA P-256 identity, made once.
const dtls::Identity& ecdsa_identity();
// RSA 2048 and ECDSA P-384 identities, made once by libcrypto.
const dtls::Identity& rsa_identity();
const dtls::Identity& p384_identity();

// Defaults with ecdsa_identity().
dtls::ConfigOptions options();
// The same, and no other version than this.
dtls::ConfigOptions options_for(dtls::ProtocolVersion version);
dtls::ConfigPtr make_config(dtls::ConfigOptions options = test::options());

inline constexpr dtls::PathId kPath{1};
inline constexpr std::array kRoles{dtls::Role::client, dtls::Role::server};

Peer make_client(const dtls::ConfigPtr& config, dtls::Instant now = {},
                 const std::optional<dtls::ResumableSession>& session = {});
Peer make_server(const dtls::ConfigPtr& config, dtls::Instant now = {});

// Carries datagrams to and fro, without loss or delay, until neither has any.
void exchange(Peer& client, Peer& server, dtls::Instant now = {});

}  // namespace sluice::test
