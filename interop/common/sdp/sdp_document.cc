#include "common/sdp/sdp_document.h"

#include <gst/sdp/gstsdpmessage.h>

#include <algorithm>
#include <memory>

namespace sluice::interop {
namespace {

constexpr unsigned kMaxPort = 65535;

struct FreeMessage {
  void operator()(GstSDPMessage* message) const { gst_sdp_message_free(message); }
};
using MessagePtr = std::unique_ptr<GstSDPMessage, FreeMessage>;

MessagePtr new_message() {
  GstSDPMessage* message = nullptr;
  gst_sdp_message_new(&message);
  return MessagePtr{message};
}

std::string copy(const gchar* text) { return text == nullptr ? std::string{} : std::string{text}; }

SdpMedia read_media(const GstSDPMedia& media) {
  SdpMedia result{.kind = copy(media.media),
                  .port = media.port,
                  .protocol = copy(media.proto),
                  .formats = {},
                  .attributes = {}};
  for (guint i = 0; i < gst_sdp_media_formats_len(&media); ++i) {
    result.formats.push_back(copy(gst_sdp_media_get_format(&media, i)));
  }
  for (guint i = 0; i < gst_sdp_media_attributes_len(&media); ++i) {
    const GstSDPAttribute* attribute = gst_sdp_media_get_attribute(&media, i);
    result.attributes.add(copy(attribute->key), copy(attribute->value));
  }
  return result;
}

void write_media(GstSDPMessage& message, const SdpMedia& section) {
  GstSDPMedia* media = nullptr;
  gst_sdp_media_new(&media);
  gst_sdp_media_set_media(media, section.kind.c_str());
  gst_sdp_media_set_port_info(media, section.port, 1);
  gst_sdp_media_set_proto(media, section.protocol.c_str());
  for (const auto& format : section.formats) gst_sdp_media_add_format(media, format.c_str());
  gst_sdp_media_add_connection(media, "IN", "IP4", "0.0.0.0", 0, 0);
  for (const auto& [name, value] : section.attributes) {
    gst_sdp_media_add_attribute(media, name.c_str(), value.empty() ? nullptr : value.c_str());
  }
  gst_sdp_message_add_media(&message, media);  // copies the section
  gst_sdp_media_free(media);
}

}  // namespace

void SdpAttributes::add(std::string name, std::string value) {
  push_back({.name = std::move(name), .value = std::move(value)});
}

std::optional<std::string_view> SdpAttributes::find(std::string_view name) const {
  const auto found = std::ranges::find(*this, name, &SdpAttribute::name);
  if (found == end()) return std::nullopt;
  return found->value;
}

std::vector<std::string_view> SdpAttributes::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& attribute : *this) {
    if (attribute.name == name) values.push_back(attribute.value);
  }
  return values;
}

SdpResult<SdpDocument> parse_sdp(std::string_view text) {
  // The library uses C strings and would ignore everything after a NUL.
  if (text.find('\0') != std::string_view::npos) {
    return tl::unexpected(SdpError{"The body is not SDP: it holds a NUL byte."});
  }
  const MessagePtr message = new_message();
  const auto* data = reinterpret_cast<const guint8*>(text.data());
  // RFC 8866 section 5.1. The library skips lines that it can't parse, also this one.
  if (text.empty() ||
      gst_sdp_message_parse_buffer(data, static_cast<guint>(text.size()), message.get()) !=
          GST_SDP_OK ||
      copy(gst_sdp_message_get_version(message.get())) != "0") {
    return tl::unexpected(SdpError{"The body is not SDP: it has no line v=0."});
  }

  SdpDocument document;
  for (guint i = 0; i < gst_sdp_message_attributes_len(message.get()); ++i) {
    const GstSDPAttribute* attribute = gst_sdp_message_get_attribute(message.get(), i);
    document.attributes.add(copy(attribute->key), copy(attribute->value));
  }
  const guint sections = gst_sdp_message_medias_len(message.get());
  if (sections == 0) return tl::unexpected(SdpError{"The SDP has no media section (m=)."});
  if (sections > kMaxSdpSections) {
    return tl::unexpected(SdpError{"The SDP has " + std::to_string(sections) +
                                   " media sections; at most " + std::to_string(kMaxSdpSections) +
                                   " are taken."});
  }
  for (guint i = 0; i < sections; ++i) {
    SdpMedia media = read_media(*gst_sdp_message_get_media(message.get(), i));
    // RFC 8866 section 5.14. The library leaves missing fields empty and truncates numbers.
    if (media.kind.empty() || media.protocol.empty() || media.formats.empty() ||
        media.formats.front().empty() || media.port > kMaxPort) {
      return tl::unexpected(SdpError{"Media section " + std::to_string(i + 1) +
                                     " does not read m=<media> <port> <proto> <fmt>."});
    }
    document.media.push_back(std::move(media));
  }
  return document;
}

std::string write_sdp(const SdpDocument& document, std::uint64_t session_id) {
  const MessagePtr message = new_message();
  gst_sdp_message_set_version(message.get(), "0");
  gst_sdp_message_set_origin(message.get(), "-", std::to_string(session_id).c_str(), "1", "IN",
                             "IP4", "0.0.0.0");
  gst_sdp_message_set_session_name(message.get(), "-");
  gst_sdp_message_add_time(message.get(), "0", "0", nullptr);
  for (const auto& [name, value] : document.attributes) {
    gst_sdp_message_add_attribute(message.get(), name.c_str(),
                                  value.empty() ? nullptr : value.c_str());
  }
  for (const auto& section : document.media) write_media(*message, section);

  const std::unique_ptr<gchar, decltype(&g_free)> text{gst_sdp_message_as_text(message.get()),
                                                       &g_free};
  return copy(text.get());
}

}  // namespace sluice::interop
