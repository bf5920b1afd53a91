#include "message/certificate13.h"

#include "message/extension_block.h"
#include "wire/types.h"

namespace sluice::dtls::message {

std::optional<Certificate13> Certificate13::decode(Bytes body) {
  wire::Reader reader(body);
  Certificate13 certificate;
  certificate.context = reader.vector8();
  wire::Reader list(reader.vector24());
  if (!reader.complete()) return std::nullopt;
  while (list.more()) {
    const Bytes entry = list.vector24();
    const Bytes extensions = list.vector16();
    if (entry.empty() || certificate.chain.size() == wire::kMaxChain ||
        !ExtensionBlock::parse(extensions)) {
      return std::nullopt;
    }
    certificate.has_extensions = certificate.has_extensions || !extensions.empty();
    certificate.chain.push_back(entry);
  }
  if (!list.complete()) return std::nullopt;
  return certificate;
}

void put_certificate13(wire::Writer& out, const std::vector<Buffer>& chain) {
  if (chain.size() > wire::kMaxChain) return out.fail();
  out.u8(0);
  const auto list = out.vector24();
  for (const Buffer& certificate : chain) {
    {
      const auto entry = out.vector24({.min = 1});
      out.bytes(certificate);
    }
    const auto extensions = out.vector16();
  }
}

}  // namespace sluice::dtls::message
