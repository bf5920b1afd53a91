// The list of extensions at the end of a hello (RFC 5246 section 7.4.1.4).
#pragma once

#include <optional>

#include <sluice/dtls/bytes.h>

#include "wire/reader.h"
#include "wire/types.h"
#include "wire/writer.h"

namespace sluice::dtls::message {

// A view of a valid block: each extension is complete and occurs once.
class ExtensionBlock {
 public:
  // No hello in use has so many extensions. The limit bounds the search for duplicates.
  static constexpr std::size_t kMaxExtensions = 128;

  struct Extension {
    wire::ExtensionType type;
    Bytes data;
    Bytes encoding;  // including type and length
  };

  // An empty block; an absent block means the same.
  ExtensionBlock() = default;
  // `extensions` excludes the length of the block. Empty when it is malformed, an extension occurs
  // twice, or there are more than kMaxExtensions.
  static std::optional<ExtensionBlock> parse(Bytes extensions);

  [[nodiscard]] std::optional<Bytes> find(wire::ExtensionType type) const;
  [[nodiscard]] bool has(wire::ExtensionType type) const { return find(type).has_value(); }

  // Whether the extension is present and the last one (RFC 8446 section 4.2.11).
  [[nodiscard]] bool is_last(wire::ExtensionType type) const;

  // Calls `visit` with each Extension in order until a call returns false. Returns whether all
  // calls returned true.
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
