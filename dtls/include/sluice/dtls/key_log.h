// A key log for debugging, in the format that Wireshark reads.
#pragma once

#include <string_view>

namespace sluice::dtls {

// Receives the secrets of an Environment's connections as lines of SSLKEYLOGFILE (RFC 9850):
// CLIENT_RANDOM for DTLS 1.2; for DTLS 1.3 CLIENT_HANDSHAKE_TRAFFIC_SECRET,
// SERVER_HANDSHAKE_TRAFFIC_SECRET, CLIENT_TRAFFIC_SECRET_0, SERVER_TRAFFIC_SECRET_0 and
// EXPORTER_SECRET. The secrets after a KeyUpdate follow from these and are not logged.
//
// Anyone who has the lines can read and forge all traffic, past and future, SRTP included: use it
// for debugging only, never in production.
//
// Called during an input, on the thread that makes it. It must not call into a connection of that
// Environment, nor affect one in any other way.
class KeyLog {
 public:
  KeyLog() = default;
  KeyLog(const KeyLog&) = delete;
  KeyLog& operator=(const KeyLog&) = delete;
  virtual ~KeyLog() = default;
  // One line without its line end; valid during the call only.
  virtual void add_line(std::string_view line) = 0;
};

}  // namespace sluice::dtls
