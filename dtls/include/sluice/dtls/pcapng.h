// Capture files in the pcapng format, which Wireshark opens (draft-ietf-opsawg-pcapng).
#pragma once

#include <chrono>
#include <string_view>
#include <utility>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/packet_observer.h>
#include <sluice/dtls/udp_endpoint.h>

namespace sluice::dtls {

struct PcapngPacket {
  UdpEndpoint source;
  UdpEndpoint destination;
  Direction direction;             // as the capturing side sees it
  std::chrono::microseconds time;  // since 1970-01-01 00:00 UTC
  Bytes payload;                   // of UDP; what it can't carry is left out
  std::string_view comment = {};   // shown beside the packet
};

// Writes UDP datagrams, with IP headers of its own making, and the secrets that decrypt them. Does
// no I/O: what take() returns is for the caller to append to a file.
class PcapngWriter {
 public:
  // Begins with the headers of the file.
  PcapngWriter();

  void add_packet(const PcapngPacket& packet);
  // Lines of a key log (RFC 9850): before the packets that they decrypt. Whoever has the file can
  // read these.
  void add_key_log(std::string_view lines);

  // What has been written since the last call.
  Buffer take() { return std::exchange(out_, {}); }

 private:
  Buffer out_;
};

}  // namespace sluice::dtls
