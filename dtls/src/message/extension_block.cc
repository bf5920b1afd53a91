#include "message/extension_block.h"

#include "wire/distinct_codes.h"

namespace sluice::dtls::message {

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
  std::optional<Bytes> found;
  all_of([&](const Extension& extension) {
    if (extension.type == type) found = extension.data;
    return !found;
  });
  return found;
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
