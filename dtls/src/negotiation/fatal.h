// Errors that end a handshake.
#pragma once

#include <source_location>
#include <string_view>
#include <utility>

#include <sluice/dtls/error.h>

#include "flight/reassembler.h"

namespace sluice::dtls::handshake {

inline tl::unexpected<Error> fatal(Errc code, Alert alert, ErrorDetail detail = {},
                                   std::source_location where = std::source_location::current()) {
  return tl::unexpected(Error{code, alert, 0, std::move(detail), where});
}

// The data of an extension is malformed.
inline tl::unexpected<Error> malformed_extension(
    std::string_view name, std::source_location where = std::source_location::current()) {
  return fatal(Errc::decode_error, Alert::decode_error, name, where);
}
// The value of an extension is not allowed here.
inline tl::unexpected<Error> illegal_extension(
    std::string_view name, std::source_location where = std::source_location::current()) {
  return fatal(Errc::illegal_parameter, Alert::illegal_parameter, name, where);
}
// A mandatory extension is missing (RFC 8446 section 9.2).
inline tl::unexpected<Error> missing_extension(
    std::string_view name, std::source_location where = std::source_location::current()) {
  return fatal(Errc::illegal_parameter, Alert::missing_extension, name, where);
}

// The Config is unusable. `detail` starts with the name of the field.
inline tl::unexpected<Error> invalid_config(
    std::string_view detail, std::source_location where = std::source_location::current()) {
  return tl::unexpected(Error{Errc::invalid_config, {}, 0, detail, where});
}

// Decodes the message. Errors: unexpected_message for another type, decode_error.
template <class Message>
Result<Message> expect(const flight::IncomingMessage& incoming,
                       std::source_location where = std::source_location::current()) {
  if (incoming.type != Message::kType) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message, {}, where);
  }
  const auto message = Message::decode(incoming.body());
  if (!message) return fatal(Errc::decode_error, Alert::decode_error, {}, where);
  return *message;
}

}  // namespace sluice::dtls::handshake
