#include "load/recording/ogg_file.h"

#include <ogg/ogg.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>

namespace sluice::interop::load {
namespace {

constexpr std::string_view kHead = "OpusHead";
constexpr std::string_view kTags = "OpusTags";

bool begins_with(rtp::Bytes packet, std::string_view text) {
  return packet.size() >= text.size() && std::memcmp(packet.data(), text.data(), text.size()) == 0;
}

tl::unexpected<std::string> no_opus(const std::string& why) {
  return tl::unexpected("no Opus in Ogg: " + why);
}

// libogg's objects, for one file.
class OggReader {
 public:
  explicit OggReader(rtp::Bytes file) {
    ogg_sync_init(&sync_);
    char* const room = ogg_sync_buffer(&sync_, static_cast<long>(file.size()));
    std::memcpy(room, file.data(), file.size());
    ogg_sync_wrote(&sync_, static_cast<long>(file.size()));
  }
  ~OggReader() {
    if (has_stream_) ogg_stream_clear(&stream_);
    ogg_sync_clear(&sync_);
  }
  OggReader(const OggReader&) = delete;
  OggReader& operator=(const OggReader&) = delete;

  // The error says what is wrong.
  tl::expected<std::vector<dtls::Buffer>, std::string> packets() {
    std::vector<dtls::Buffer> all;
    ogg_page page{};
    for (int found = ogg_sync_pageout(&sync_, &page); found != 0;
         found = ogg_sync_pageout(&sync_, &page)) {
      if (found < 0) return no_opus("a page is damaged, or something stands between pages");
      if (!has_stream_) {
        ogg_stream_init(&stream_, ogg_page_serialno(&page));
        has_stream_ = true;
      }
      if (ogg_stream_pagein(&stream_, &page) != 0) return no_opus("it has another stream, too");
      if (!take_packets(all)) return no_opus("a page is missing");
    }
    if (sync_.fill != sync_.returned) return no_opus("its last page is not whole");
    return all;
  }

 private:
  bool take_packets(std::vector<dtls::Buffer>& all) {
    ogg_packet packet{};
    for (int found = ogg_stream_packetout(&stream_, &packet); found != 0;
         found = ogg_stream_packetout(&stream_, &packet)) {
      if (found < 0) return false;
      const auto bytes =
          std::as_bytes(std::span(packet.packet, static_cast<std::size_t>(packet.bytes)));
      all.emplace_back(bytes.begin(), bytes.end());
    }
    return true;
  }

  ogg_sync_state sync_{};
  ogg_stream_state stream_{};
  bool has_stream_ = false;
};

}  // namespace

tl::expected<std::vector<dtls::Buffer>, std::string> read_ogg_opus(rtp::Bytes file) {
  if (file.empty()) return no_opus("it is empty");
  auto packets = OggReader(file).packets();
  if (!packets) return packets;
  if (packets->size() < 3 || !begins_with(packets->front(), kHead) ||
      !begins_with((*packets)[1], kTags)) {
    return no_opus("it does not begin with OpusHead, OpusTags and a packet");
  }
  packets->erase(packets->begin(), packets->begin() + 2);
  return packets;
}

std::optional<std::uint32_t> opus_samples(rtp::Bytes packet) {
  if (packet.empty()) return std::nullopt;
  constexpr std::uint32_t kMost = 5760;
  const auto toc = std::to_integer<unsigned>(packet[0]);
  const unsigned config = toc >> 3;
  // Table 2: SILK has 10, 20, 40 and 60 ms; hybrid 10 and 20 ms; CELT 2.5, 5, 10 and 20 ms.
  constexpr std::array<std::uint32_t, 4> kSilk = {480, 960, 1920, 2880};
  constexpr std::array<std::uint32_t, 4> kCelt = {120, 240, 480, 960};
  const std::uint32_t frame = config < 12   ? kSilk.at(config % 4)
                              : config < 16 ? kSilk.at(config % 2)
                                            : kCelt.at(config % 4);
  std::uint32_t frames = 1;
  if ((toc & 3U) == 3) {
    if (packet.size() < 2) return std::nullopt;
    frames = std::to_integer<std::uint32_t>(packet[1]) & 0x3fU;
  } else if ((toc & 3U) != 0) {
    frames = 2;
  }
  const std::uint32_t samples = frame * frames;
  if (samples == 0 || samples > kMost) return std::nullopt;
  return samples;
}

}  // namespace sluice::interop::load
