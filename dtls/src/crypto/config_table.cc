#include "crypto/config_table.h"

#include "crypto/library.h"

namespace sluice::dtls::crypto {

ConfigTable::Use ConfigTable::use(ConfigPtr config, ConnectionIdSource* connection_ids) {
  // Allocates nothing where there is such an entry.
  return Use(*entries_.insert(Entry{std::move(config), connection_ids, &library_}).first);
}

ConfigTable::Use::~Use() {
  if (entry_ == nullptr || --entry_->uses != 0) return;
  auto& entries = entry_->library->configs().entries_;
  entries.erase(entries.find(*entry_));
}

}  // namespace sluice::dtls::crypto
