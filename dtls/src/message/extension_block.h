// The list of extensions at the end of a hello (RFC 5246 section 7.4.1.4).
#pragma once

#include <optional>

#include <sluice/dtls/bytes.h>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

// A view of a block that has been checked: each extension whole, none twice.
class ExtensionBlock {
 public:
  struct Extension {
    wire::ExtensionType type;
    Bytes data;
    Bytes encoding;  // with type and length
  };

  // Absent and empty blocks are the same.
  ExtensionBlock() = default;
  // The extensions without the length before them; empty when it is malformed or has one twice.
  static std::optional<ExtensionBlock> parse(Bytes extensions);

  [[nodiscard]] std::optional<Bytes> find(wire::ExtensionType type) const;
  [[nodiscard]] bool has(wire::ExtensionType type) const { return find(type).has_value(); }

  // Whether it is there, behind all others (RFC 8446 section 4.2.11).
  [[nodiscard]] bool is_last(wire::ExtensionType type) const;

  // Calls `visit` with each Extension in turn until one call returns false; whether none did.
  template <class Visitor>
  bool all_of(Visitor&& visit) const {
    wire::Reader reader(bytes_);
    while (reader.more()) {
      const Bytes from_here = reader.rest();
      const auto type = reader.code<wire::ExtensionType>();
      const Bytes data = reader.vector16();
      const Bytes encoding = from_here.first(from_here.size() - reader.rest().size());
      if (!visit(Extension{type, data, encoding})) return false;
    }
    return true;
  }

 private:
  explicit ExtensionBlock(Bytes bytes) : bytes_(bytes) {}
  Bytes bytes_;
};

// Appends one extension; `encode` writes its data.
template <class Encode>
void put_extension(wire::Writer& out, wire::ExtensionType type, Encode&& encode) {
  out.code(type);
  const auto data = out.vector16();
  encode(out);
}

inline void put_empty_extension(wire::Writer& out, wire::ExtensionType type) {
  put_extension(out, type, [](wire::Writer&) {});
}

}  // namespace sluice::dtls::message
