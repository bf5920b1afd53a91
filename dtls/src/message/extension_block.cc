#include "message/extension_block.h"

#include "wire/distinct_codes.h"

namespace sluice::dtls::message {
namespace {

constexpr std::size_t kHeader = 4;  // type and length, two bytes each

}  // namespace

std::optional<ExtensionBlock> ExtensionBlock::parse(Bytes extensions) {
  wire::DistinctCodes<wire::ExtensionType, kMaxExtensions> types;
  wire::Reader reader(extensions);
  while (reader.more()) {
    const auto type = reader.code<wire::ExtensionType>();
    reader.vector16();
    if (!types.add(type)) return std::nullopt;
  }
  if (!reader.complete() || !types.are_distinct()) return std::nullopt;
  return ExtensionBlock(extensions);
}

std::optional<Bytes> ExtensionBlock::find(wire::ExtensionType type) const {
  // The block is valid: nothing is checked again, because a hello's extensions are sought one by
  // one.
  const auto u16 = [this](std::size_t at) {
    return std::to_integer<std::size_t>(bytes_[at]) << 8 |
           std::to_integer<std::size_t>(bytes_[at + 1]);
  };
  std::size_t size = 0;
  for (std::size_t at = 0; at < bytes_.size(); at += kHeader + size) {
    size = u16(at + 2);
    if (u16(at) == static_cast<std::size_t>(type)) return bytes_.subspan(at + kHeader, size);
  }
  return std::nullopt;
}

bool ExtensionBlock::is_last(wire::ExtensionType type) const {
  bool is_last = false;
  all_of([&](const Extension& extension) {
    is_last = extension.type == type;
    return true;
  });
  return is_last;
}

}  // namespace sluice::dtls::message
