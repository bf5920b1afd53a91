#include "schedule/prf12.h"

#include <algorithm>
#include <utility>

#include <sluice/dtls/secret.h>

namespace sluice::dtls::schedule {

Result<void> prf12(crypto::Library& library, HashAlgorithm hash, Bytes secret,
                   std::string_view label, Bytes seed, MutableBytes out) {
  // The master secret gives the key block and both Finished.
  auto hmac = crypto::Hmac::with_repeated_key(library, hash, secret);
  if (!hmac) return forward_error(hmac);
  const Bytes label_bytes = std::as_bytes(std::span(label));

  // A(1) = HMAC(secret, label + seed). Each A(i) gives one block of output and A(i + 1).
  auto a = hmac->compute({label_bytes, seed});
  while (a && !out.empty()) {
    auto block = hmac->compute({a->bytes(), label_bytes, seed});
    if (!block) return forward_error(block);
    const std::size_t size = std::min(out.size(), block->bytes().size());
    std::ranges::copy(std::as_const(*block).bytes().first(size), out.begin());
    cleanse(block->bytes());
    out = out.subspan(size);
    if (!out.empty()) a = hmac->compute({a->bytes()});
  }
  if (!a) return forward_error(a);
  return {};
}

}  // namespace sluice::dtls::schedule
