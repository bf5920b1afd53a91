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
  Bytes payload;                   // of UDP; bytes beyond UDP's limit are left out
  std::string_view comment = {};   // Wireshark shows it with the packet
};

// Writes UDP datagrams with generated IP headers, and the secrets to decrypt them. Does no I/O: the
// caller appends the bytes of take() to a file.
class PcapngWriter {
 public:
  // Starts with the file's header blocks.
  PcapngWriter();

  void add_packet(const PcapngPacket& packet);
  // Adds lines of a key log (RFC 9850); call it before the packets that they decrypt. Anyone with
  // the file can read them.
  void add_key_log(std::string_view lines);

  // Returns the bytes written since the last call.
  Buffer take() { return std::exchange(out_, {}); }

 private:
  Buffer out_;
};

}  // namespace sluice::dtls
