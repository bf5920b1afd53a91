// Parses and writes SDP (RFC 8866) with GStreamer's SDP library. Only this file and its source use
// that library.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace sluice::interop {

// Why an offer can't be answered: one English sentence for the client.
struct SdpError {
  std::string sentence;
};
template <class T>
using SdpResult = tl::expected<T, SdpError>;

// An "a=" line; a property attribute such as a=rtcp-mux has an empty value.
struct SdpAttribute {
  std::string name;
  std::string value = {};
};

struct SdpAttributes : std::vector<SdpAttribute> {
  using std::vector<SdpAttribute>::vector;

  void add(std::string name, std::string value = {});
  // The value of the first attribute with this name. Valid until the list changes.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }
};

// An "m=" section.
struct SdpMedia {
  std::string kind;  // audio, video, application, ...
  unsigned port = 0;
  std::string protocol;
  std::vector<std::string> formats;
  SdpAttributes attributes;
};

struct SdpDocument {
  SdpAttributes attributes;  // session level
  std::vector<SdpMedia> media;
};

// Limit of media sections: each accepted one costs an SSRC and its state. Meetings have some
// dozens.
inline constexpr std::size_t kMaxSdpSections = 128;

// Thread-safe. `text` may be any bytes.
SdpResult<SdpDocument> parse_sdp(std::string_view text);
// Writes CRLF line ends. `session_id` is the o= line's, at most 63 bits (RFC 9429 section 5.2.1).
std::string write_sdp(const SdpDocument& document, std::uint64_t session_id);

}  // namespace sluice::interop
