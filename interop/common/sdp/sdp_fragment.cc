#include "common/sdp/sdp_fragment.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "common/letter_case.h"
#include "common/sdp/sdp_text.h"

namespace sluice::interop {
namespace {

tl::unexpected<SdpError> malformed(std::string sentence) {
  return tl::unexpected(SdpError{std::move(sentence)});
}

bool has_control_character(std::string_view line) {
  return std::ranges::any_of(line, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
}

// RFC 8866 section 5.14, without "m=". Empty: it is malformed.
std::optional<SdpMedia> parse_pseudo_media(std::string_view line) {
  const auto fields = words(line);
  constexpr std::size_t kFields = 4;
  if (fields.size() < kFields) return std::nullopt;
  // "<port>/<number of ports>".
  std::string_view ports = fields[1];
  const auto port = number<std::uint16_t>(take(ports, '/'));
  if (!port) return std::nullopt;
  SdpMedia media{.kind = std::string{fields[0]},
                 .port = *port,
                 .protocol = std::string{fields[2]},
                 .formats = {},
                 .attributes = {}};
  for (std::size_t i = kFields - 1; i < fields.size(); ++i) media.formats.emplace_back(fields[i]);
  return media;
}

bool parse_line(std::string_view line, SdpDocument& fragment) {
  const auto type = take(line, '=');
  if (type == "m") {
    auto media = parse_pseudo_media(line);
    if (!media) return false;
    fragment.media.push_back(*std::move(media));
    return true;
  }
  const auto name = take(line, ':');
  if (type != "a" || !is_token(name)) return false;
  auto& level = fragment.media.empty() ? fragment.attributes : fragment.media.back().attributes;
  // RFC 8840 section 9.2: receivers ignore the case of names.
  level.add(lower(name), std::string{line});
  return true;
}

// RFC 8839 section 5.1, without "candidate:".
bool is_candidate(std::string_view value) {
  constexpr std::size_t kLongestFoundation = 32;
  constexpr unsigned kMostComponents = 256;
  constexpr std::uint32_t kHighestPriority = std::numeric_limits<std::int32_t>::max();
  const auto foundation = take(value, ' ');
  if (!is_ice_string(foundation, 1) || foundation.size() > kLongestFoundation) return false;
  const auto component = number<std::uint16_t>(take(value, ' '));
  if (!component || *component == 0 || *component > kMostComponents) return false;
  if (!is_token(take(value, ' '))) return false;  // transport
  const auto priority = number<std::uint32_t>(take(value, ' '));
  if (!priority || *priority == 0 || *priority > kHighestPriority) return false;
  // An address of IPv4 or IPv6, or a name.
  if (take(value, ' ').empty()) return false;
  if (!number<std::uint16_t>(take(value, ' '))) return false;
  if (!equal_ignoring_case(take(value, ' '), "typ") || !is_token(take(value, ' '))) return false;
  // raddr, rport, and extensions, whose values may be empty.
  while (!value.empty()) {
    const auto name = take(value, ' ');
    const auto extension = take(value, ' ');
    if (!is_token(name)) return false;
    if (equal_ignoring_case(name, "rport") && !number<std::uint16_t>(extension)) return false;
  }
  return true;
}

// The a=ice-ufrag and a=ice-pwd of one level. Empty: it has neither.
SdpResult<std::optional<ice_lite::Credentials>> read_credentials(const SdpAttributes& attributes) {
  const auto ufrags = attributes.all("ice-ufrag");
  const auto pwds = attributes.all("ice-pwd");
  if (ufrags.empty() && pwds.empty()) return std::nullopt;
  if (ufrags.size() != 1 || pwds.size() != 1) {
    return malformed("a=ice-ufrag and a=ice-pwd must stand together, once.");
  }
  if (!is_ice_string(ufrags[0], kShortestUfrag)) {
    return malformed("The fragment has no valid a=ice-ufrag (4 to 256 ice-chars).");
  }
  if (!is_ice_string(pwds[0], kShortestPwd)) {
    return malformed("The fragment has no valid a=ice-pwd (22 to 256 ice-chars).");
  }
  return ice_lite::Credentials{.ufrag = std::string{ufrags[0]}, .pwd = std::string{pwds[0]}};
}

// RFC 8840 section 4.4: the mid comes first and says whose candidates follow.
SdpResult<void> read_candidates(const SdpAttributes& attributes, IceFragment& result) {
  bool has_mid = false;
  for (const auto& [name, value] : attributes) {
    if (name == "mid") {
      if (has_mid || !is_token(value)) {
        return malformed("A section of the fragment needs one valid a=mid.");
      }
      has_mid = true;
    } else if (name == "candidate" || name == "end-of-candidates") {
      if (!has_mid) return malformed("a=" + name + " must stand after the a=mid of its section.");
      if (name == "candidate" && !is_candidate(value)) {
        return malformed("A candidate of the fragment is malformed: RFC 8839 section 5.1.");
      }
      if (name == "candidate") ++result.candidates;
      if (name == "end-of-candidates") result.end_of_candidates = true;
    }
  }
  return {};
}

}  // namespace

SdpResult<SdpDocument> parse_fragment(std::string_view text) {
  if (text.size() > kMaxFragment) {
    return malformed("The fragment is larger than " + std::to_string(kMaxFragment) + " bytes.");
  }
  SdpDocument fragment;
  for (std::size_t lines = 1; !text.empty(); ++lines) {
    if (lines > kMaxFragmentLines) {
      return malformed("The fragment has more than " + std::to_string(kMaxFragmentLines) +
                       " lines.");
    }
    std::string_view line = take(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (has_control_character(line)) {
      return malformed("Line " + std::to_string(lines) + " has a control character.");
    }
    if (!parse_line(line, fragment)) {
      return malformed("Line " + std::to_string(lines) +
                       " is neither a=<attribute> nor m=<media> <port> <proto> <fmt>.");
    }
  }
  return fragment;
}

std::string write_fragment(const SdpDocument& fragment) {
  std::string text;
  const auto write = [&text](const SdpAttributes& attributes) {
    for (const auto& [name, value] : attributes) {
      text += "a=" + name + (value.empty() ? "" : ":" + value) + "\r\n";
    }
  };
  write(fragment.attributes);
  for (const auto& media : fragment.media) {
    text += "m=" + media.kind + " " + std::to_string(media.port) + " " + media.protocol;
    for (const auto& format : media.formats) text += " " + format;
    text += "\r\n";
    write(media.attributes);
  }
  return text;
}

SdpResult<IceFragment> read_fragment(std::string_view text) {
  const auto fragment = parse_fragment(text);
  if (!fragment) return tl::unexpected(fragment.error());
  if (fragment->attributes.has("candidate") || fragment->attributes.has("mid")) {
    return malformed("a=mid and a=candidate must stand after an m= line.");
  }
  IceFragment result;
  result.end_of_candidates = fragment->attributes.has("end-of-candidates");
  // Those of a section replace those of the session level.
  const auto common = read_credentials(fragment->attributes);
  if (!common) return tl::unexpected(common.error());
  std::optional<ice_lite::Credentials> ice = *common;
  for (const auto& media : fragment->media) {
    const auto own = read_credentials(media.attributes);
    if (!own) return tl::unexpected(own.error());
    const auto& valid = *own ? *own : *common;
    const bool is_first = &media == &fragment->media.front();
    if (is_first) ice = valid;
    if (ice != valid) return malformed("The sections of the fragment differ in their credentials.");
    if (auto read = read_candidates(media.attributes, result); !read) {
      return tl::unexpected(std::move(read.error()));
    }
  }
  if (!ice) return malformed("The fragment has no a=ice-ufrag and a=ice-pwd.");
  result.ice = *std::move(ice);
  return result;
}

}  // namespace sluice::interop
