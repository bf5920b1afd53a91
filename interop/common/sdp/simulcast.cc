#include "common/sdp/simulcast.h"

#include <algorithm>
#include <string_view>

#include "common/sdp/sdp_text.h"

namespace sluice::interop {
namespace {

// RFC 8852 section 3, and the 16 bytes of the one-byte form (RFC 8285 section 4.2).
bool is_rid(std::string_view text) {
  constexpr std::size_t kLongest = 16;
  return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

// "a=rid:<id> send [restrictions]".
bool can_send(const SdpMedia& media, std::string_view rid) {
  return std::ranges::any_of(media.attributes.all("rid"), [rid](std::string_view value) {
    return take(value, ' ') == rid && take(value, ' ') == "send";
  });
}

// "send <streams> recv <streams>", in either order (RFC 8853 section 5.1).
std::string_view sent_streams(std::string_view value) {
  while (!value.empty()) {
    const auto direction = take(value, ' ');
    const auto streams = take(value, ' ');
    if (direction == "send") return streams;
  }
  return {};
}

}  // namespace

std::vector<std::string> read_simulcast(const SdpMedia& media) {
  // So that an offer can't make the server search much.
  constexpr int kMaxRead = 16;
  std::vector<std::string> rids;
  std::string_view streams = sent_streams(media.attributes.find("simulcast").value_or(""));
  for (int i = 0; i < kMaxRead && !streams.empty() && rids.size() < kMaxSimulcastStreams; ++i) {
    std::string_view alternatives = take(streams, ';');
    std::string_view rid = take(alternatives, ',');
    if (rid.starts_with('~')) rid.remove_prefix(1);  // it begins paused
    if (!is_rid(rid) || !can_send(media, rid)) continue;
    if (std::ranges::find(rids, rid) == rids.end()) rids.emplace_back(rid);
  }
  return rids;
}

void write_simulcast(SdpAttributes& attributes, std::span<const std::string> rids,
                     std::string_view direction) {
  if (rids.empty()) return;
  std::string streams;
  for (const std::string& rid : rids) {
    attributes.add("rid", rid + " " + std::string{direction});
    streams += (streams.empty() ? "" : ";") + rid;
  }
  attributes.add("simulcast", std::string{direction} + " " + streams);
}

}  // namespace sluice::interop
