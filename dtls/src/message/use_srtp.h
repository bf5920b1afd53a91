// The use_srtp extension (RFC 5764 section 4.1.1).
#pragma once

#include <optional>

#include <sluice/dtls/protocol.h>

#include "message/extension_block.h"
#include "wire/code_list.h"

namespace sluice::dtls::message {

struct UseSrtp {
  wire::CodeList<SrtpProfile> profiles;  // exactly one from a server
  Bytes mki;

  static std::optional<UseSrtp> decode(Bytes data) {
    wire::Reader reader(data);
    const Bytes profiles = reader.vector16();
    const Bytes mki = reader.vector8();
    if (!reader.complete() || profiles.empty() || profiles.size() % 2 != 0) return std::nullopt;
    return UseSrtp{wire::CodeList<SrtpProfile>(profiles), mki};
  }
};

template <class Range>
void put_use_srtp(wire::Writer& out, const Range& profiles, Bytes mki) {
  put_extension(out, wire::ExtensionType::use_srtp, [&](wire::Writer& data) {
    {
      const auto list = data.vector16({.min = 2});
      for (const SrtpProfile profile : profiles) data.code(profile);
    }
    const auto length = data.vector8();
    data.bytes(mki);
  });
}

}  // namespace sluice::dtls::message
