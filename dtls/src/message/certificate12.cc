#include "message/certificate12.h"

#include "wire/types.h"

namespace sluice::dtls::message {

std::optional<Certificate12> Certificate12::decode(Bytes body) {
  wire::Reader reader(body);
  wire::Reader list(reader.vector24());
  if (!reader.complete()) return std::nullopt;
  Certificate12 certificate;
  while (list.more()) {
    const Bytes entry = list.vector24();
    if (entry.empty() || certificate.chain.size() == wire::kMaxChain) return std::nullopt;
    certificate.chain.push_back(entry);
  }
  if (!list.complete()) return std::nullopt;
  return certificate;
}

void put_certificate12(wire::Writer& out, const std::vector<Buffer>& chain) {
  if (chain.size() > wire::kMaxChain) return out.fail();
  const auto list = out.vector24();
  for (const Buffer& certificate : chain) {
    const auto entry = out.vector24({.min = 1});
    out.bytes(certificate);
  }
}

}  // namespace sluice::dtls::message
