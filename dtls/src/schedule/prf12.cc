#include "schedule/prf12.h"

#include <algorithm>
#include <array>
#include <utility>

#include <sluice/dtls/secret.h>

namespace sluice::dtls::schedule {
namespace {

// A hash value, the label and the seed, in memory of their own only if an exporter's context is
// long. Wiped at the end.
class Message {
 public:
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): near_ is written before it is read.
  Message(std::size_t hash_size, std::string_view label, Bytes seed) : hash_size_(hash_size) {
    const std::size_t size = hash_size + label.size() + seed.size();
    if (size > near_.size()) far_.resize(size);
    bytes_ = size > near_.size() ? MutableBytes(far_) : MutableBytes(near_).first(size);
    const auto after_label =
        std::ranges::copy(std::as_bytes(std::span(label)), bytes_.subspan(hash_size).begin()).out;
    std::ranges::copy(seed, after_label);
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() { cleanse(bytes_); }

  [[nodiscard]] MutableBytes hash() const { return bytes_.first(hash_size_); }
  [[nodiscard]] Bytes label_and_seed() const { return bytes_.subspan(hash_size_); }
  [[nodiscard]] Bytes whole() const { return bytes_; }

 private:
  // "extended master secret" and the longest hash, or a label and two randoms.
  std::array<std::byte, 192> near_;
  Buffer far_;
  std::size_t hash_size_;
  MutableBytes bytes_;
};

// Fills `out`, which is shorter than a hash value.
Result<void> compute_part(crypto::Hmac& hmac, HashAlgorithm hash, Bytes message, MutableBytes out) {
  crypto::Digest block(hash);
  auto done = hmac.compute(message, block.bytes());
  std::ranges::copy(std::as_const(block).bytes().first(out.size()), out.begin());
  cleanse(block.bytes());
  return done;
}

}  // namespace

Result<void> prf12(crypto::Library& library, HashAlgorithm hash, Bytes secret,
                   std::string_view label, Bytes seed, MutableBytes out) {
  // The master secret gives the key block and both Finished.
  auto hmac = crypto::Hmac::with_repeated_key(library, hash, secret);
  if (!hmac) return forward_error(hmac);
  const std::size_t hash_size = crypto::hash_size(hash);
  // In its place the message has A(i), which gives one block of output and A(i + 1).
  const Message message(hash_size, label, seed);
  // A(1) = HMAC(secret, label + seed).
  auto done = hmac->compute(message.label_and_seed(), message.hash());
  while (done && out.size() >= hash_size) {
    done = hmac->compute(message.whole(), out.first(hash_size));
    out = out.subspan(hash_size);
    if (done && !out.empty()) done = hmac->compute(message.hash(), message.hash());
  }
  if (done && !out.empty()) done = compute_part(*hmac, hash, message.whole(), out);
  return done;
}

}  // namespace sluice::dtls::schedule
