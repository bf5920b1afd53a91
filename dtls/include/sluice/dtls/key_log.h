// Secrets for who debugs, in the format that Wireshark reads.
#pragma once

#include <string_view>

namespace sluice::dtls {

// Takes the secrets of an Environment's connections as lines of the SSLKEYLOGFILE format
// (RFC 9850): CLIENT_RANDOM of DTLS 1.2, and of DTLS 1.3 CLIENT_HANDSHAKE_TRAFFIC_SECRET,
// SERVER_HANDSHAKE_TRAFFIC_SECRET, CLIENT_TRAFFIC_SECRET_0, SERVER_TRAFFIC_SECRET_0 and
// EXPORTER_SECRET. What a KeyUpdate leads to follows from these and isn't told.
//
// Whoever has the lines can read all that was or will be said, SRTP included, and can forge it:
// for debugging alone, never in production.
//
// Called during an input, by the thread that makes it; must not call into a connection of that
// Environment, nor change its session in any other way.
class KeyLog {
 public:
  KeyLog() = default;
  KeyLog(const KeyLog&) = delete;
  KeyLog& operator=(const KeyLog&) = delete;
  virtual ~KeyLog() = default;
  // One line without its end; gone after the call.
  virtual void add_line(std::string_view line) = 0;
};

}  // namespace sluice::dtls
