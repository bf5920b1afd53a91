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

std::optional<RawPublicKey12> RawPublicKey12::decode(Bytes body) {
  wire::Reader reader(body);
  const Bytes info = reader.vector24();
  return reader.complete() ? std::optional(RawPublicKey12{info}) : std::nullopt;
}

void put_certificate12(wire::Writer& out, const std::vector<Buffer>& chain) {
  if (chain.size() > wire::kMaxChain) return out.fail();
  const auto list = out.vector24();
  for (const Buffer& certificate : chain) {
    const auto entry = out.vector24({.min = 1});
    out.bytes(certificate);
  }
}

void put_raw_public_key12(wire::Writer& out, Bytes info) {
  const auto vector = out.vector24();
  out.bytes(info);
}

}  // namespace sluice::dtls::message
