// Two sessions with each other's keys.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include <sluice/srtp/session.h>

#include "support/rtp_packets.h"

namespace sluice::srtp {

using test::make_rtcp;
using test::make_rtp;
using test::Packet;

// What a session answers to a packet that it refuses.
inline constexpr auto kUnexpected = [](PacketError error) { return tl::unexpected(error); };

// The name of a profile's instance of a parameterised test.
inline std::string profile_name(const testing::TestParamInfo<dtls::SrtpProfile>& instance) {
  switch (instance.param) {
    case dtls::SrtpProfile::aead_aes_256_gcm:
      return "aead_aes_256_gcm";
    case dtls::SrtpProfile::aead_aes_128_gcm:
      return "aead_aes_128_gcm";
    case dtls::SrtpProfile::aes128_cm_hmac_sha1_80:
      return "aes128_cm_hmac_sha1_80";
    case dtls::SrtpProfile::aes128_cm_hmac_sha1_32:
      return "aes128_cm_hmac_sha1_32";
  }
  return "unknown";
}

struct Peers {
  Session client;
  Session server;
};

inline Peers make_peers(dtls::SrtpProfile profile, SessionOptions options = {}) {
  auto keys = test::make_srtp_keys(profile);
  auto client = Session::make(std::move(keys.client), options);
  auto server = Session::make(std::move(keys.server), options);
  // A test can't go on without; value() of an Error would throw.
  if (!client || !server) ADD_FAILURE() << "no session";
  return {std::move(client).value(), std::move(server).value()};
}

// The protected packet; empty when the session refuses.
inline Packet protect_rtp(Session& session, Packet packet) {
  const auto size = packet.size();
  packet.resize(size + kMaxTrailer);
  const auto result = session.protect_rtp(packet, size);
  packet.resize(result.value_or(0));
  return packet;
}

inline Packet protect_rtcp(Session& session, Packet packet) {
  const auto size = packet.size();
  packet.resize(size + kMaxTrailer);
  const auto result = session.protect_rtcp(packet, size);
  packet.resize(result.value_or(0));
  return packet;
}

// As the session would see it arrive; the packet is left as it is.
inline tl::expected<Packet, PacketError> unprotect_rtp(Session& session, Packet packet) {
  return session.unprotect_rtp(packet).map([&](std::size_t size) {
    packet.resize(size);
    return packet;
  });
}

inline tl::expected<Packet, PacketError> unprotect_rtcp(Session& session, Packet packet) {
  return session.unprotect_rtcp(packet).map([&](std::size_t size) {
    packet.resize(size);
    return packet;
  });
}

}  // namespace sluice::srtp
