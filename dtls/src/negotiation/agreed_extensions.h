// What both versions agree on by extensions that the server answers one by one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <sluice/dtls/config.h>

#include "message/extension_block.h"
#include "negotiation/context.h"

namespace sluice::dtls::handshake {

// What each side has said that it takes, type and padding of DTLS 1.3 included (RFC 8449
// section 4).
struct RecordSizeLimits {
  std::uint16_t ours;
  std::uint16_t peers;
};

// What has no size of its own. Empty: none.
struct AgreedNames {
  Buffer srtp_mki = {};
  std::string application_protocol = {};
  std::string server_name = {};  // that the client has asked for
};

class AgreedExtensions {
 public:
  AgreedExtensions() = default;
  AgreedExtensions(const AgreedExtensions& other)
      : srtp_profile(other.srtp_profile), record_size_limits(other.record_size_limits) {
    set_names(other.names());
  }
  AgreedExtensions(AgreedExtensions&&) noexcept = default;
  AgreedExtensions& operator=(AgreedExtensions&&) noexcept = default;
  AgreedExtensions& operator=(const AgreedExtensions&) = delete;
  ~AgreedExtensions() = default;

  std::optional<SrtpProfile> srtp_profile = {};
  std::optional<RecordSizeLimits> record_size_limits = {};

  [[nodiscard]] const AgreedNames& names() const {
    static const AgreedNames kNone;
    return names_ != nullptr ? *names_ : kNone;
  }
  void set_names(AgreedNames names) {
    const bool is_any = !names.srtp_mki.empty() || !names.application_protocol.empty() ||
                        !names.server_name.empty();
    names_ = is_any ? std::make_unique<const AgreedNames>(std::move(names)) : nullptr;
  }

 private:
  // Many a session has none, for as long as it lives.
  std::unique_ptr<const AgreedNames> names_;
};

// The name that a client asks for; empty without one. Errors: decode_error.
Result<std::string> requested_server_name(const message::ExtensionBlock& clients);

// What this side says about records in the hellos of a connection that may speak the version.
std::optional<std::uint16_t> offered_record_size_limit(const ConfigOptions& config,
                                                       ProtocolVersion highest);
// The longest contents of protected records that follow from what was said.
record::ContentLimits content_limits(ProtocolVersion version, const AgreedExtensions& agreed);

// A server's choice. Its own order decides: of SRTP profiles GCM comes first although libwebrtc
// lists AES_CM before it. Protected records keep to the limits from now on. Errors: decode_error;
// illegal_parameter; no_common_application_protocol with no_application_protocol (RFC 7301
// section 3.2).
Result<AgreedExtensions> agree_on_extensions(Context& context, ProtocolVersion version,
                                             const message::ExtensionBlock& clients);
// What tells the client. A session that is resumed is of the same name anyway, and RFC 6066 section
// 3 has no answer to it.
void put_agreed_extensions(wire::Writer& out, const AgreedExtensions& agreed, bool resumed);

// The server's answers: exactly one protocol and one SRTP profile of ours, and no MKI but ours
// (RFC 5764 section 4.1.3). Protected records keep to the limits from now on. Errors: decode_error,
// illegal_parameter.
Result<AgreedExtensions> accepted_extensions(Context& context, ProtocolVersion version,
                                             const message::ExtensionBlock& servers);

}  // namespace sluice::dtls::handshake
