// The words that every conformance test uses.
#pragma once

#include <chrono>

#include "support/bytes.h"
#include "support/duel.h"

namespace sluice::test {

using namespace std::chrono_literals;

using dtls::Alert;
using dtls::Buffer;
using dtls::Bytes;
using dtls::CipherSuite;
using dtls::Discard;
using dtls::Errc;
using dtls::NamedGroup;
using dtls::ProtocolVersion;
using dtls::Role;
using dtls::SignatureScheme;
using dtls::SrtpProfile;
using dtls::message::AlertLevel;
using dtls::wire::ContentType;
using dtls::wire::Epoch;
using dtls::wire::ExtensionType;
using dtls::wire::HandshakeType;
using dtls::wire::kFirstEncryptedEpoch12;
using dtls::wire::kPlaintextEpoch;

inline std::uint32_t discards(const Duel& duel, Discard reason) {
  return duel.engine.connection().statistics().count(reason);
}

// The type of a whole message.
inline HandshakeType type_of(Bytes message) { return static_cast<HandshakeType>(message.front()); }

}  // namespace sluice::test
