// EncryptedExtensions (RFC 8446 section 4.3.1).
#pragma once

#include <optional>

#include "message/extension_block.h"

namespace sluice::dtls::message {

struct EncryptedExtensions {
  static constexpr wire::HandshakeType kType = wire::HandshakeType::encrypted_extensions;

  ExtensionBlock extensions;

  static std::optional<EncryptedExtensions> decode(Bytes body) {
    wire::Reader reader(body);
    const Bytes extensions = reader.vector16();
    if (!reader.complete()) return std::nullopt;
    const auto block = ExtensionBlock::parse(extensions);
    if (!block) return std::nullopt;
    return EncryptedExtensions{*block};
  }
};

}  // namespace sluice::dtls::message
