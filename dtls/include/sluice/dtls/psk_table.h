// Pre-shared keys by identity, for a server that has more of them than fit into its Config.
#pragma once

#include <cstddef>
#include <map>
#include <optional>

#include <sluice/dtls/event.h>
#include <sluice/dtls/pre_shared_key.h>

namespace sluice::dtls {

// A map in memory; not limited. Used by one thread at a time, or by several that only read. A
// database takes its place where the keys are elsewhere.
class PskTable {
 public:
  // Replaces a key of the same identity.
  void add(PreSharedKey key);
  // Whether there was one. Connections that use it go on.
  bool remove(Bytes identity);
  [[nodiscard]] std::optional<PreSharedKey> find(Bytes identity) const;
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

  // An answer for Connection::answer(): the first of the client's identities that is known, or
  // NoPsk.
  [[nodiscard]] PskRequested::Answer answer(const PskRequested& asked) const;

 private:
  std::map<Buffer, PreSharedKey> keys_;
};

}  // namespace sluice::dtls
