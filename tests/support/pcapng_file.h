// Reads a capture file back, strictly.
#pragma once

#include <sluice/dtls/pcapng.h>

#include <string>
#include <vector>

namespace sluice::test {

struct PcapngBlock {
  std::uint32_t type;
  dtls::Buffer body;
};

// What a packet block holds; its IP and UDP headers were in order.
struct CapturedPacket {
  std::uint64_t time;  // microseconds
  unsigned ip_version;
  dtls::Buffer source;
  dtls::Buffer destination;
  std::uint16_t source_port;
  std::uint16_t destination_port;
  dtls::Buffer payload;
  std::uint32_t flags;
  std::string comment;
};

struct PcapngFile {
  std::vector<PcapngBlock> blocks;
  std::vector<CapturedPacket> packets;
  // Line by line; and how many packets stood before the first.
  std::vector<std::string> key_log;
  std::size_t packets_before_key_log = 0;
};

// Throws where the bytes are no such file: lengths, padding, checksums, trailing bytes.
PcapngFile read_pcapng(dtls::Bytes file);

}  // namespace sluice::test
