// Errors that end a handshake.
#pragma once

#include <source_location>
#include <string_view>

#include <sluice/dtls/error.h>

#include "flight/reassembler.h"

namespace sluice::dtls::handshake {

inline tl::unexpected<Error> fatal(Errc code, Alert alert, std::string_view detail = {},
                                   std::source_location where = std::source_location::current()) {
  return tl::unexpected(Error{code, alert, 0, detail, where});
}

// The message as a `Message`, or why it can't be one.
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
