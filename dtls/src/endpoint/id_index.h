// The connection IDs of an Endpoint's connections: makes them, and finds connections by them.
#pragma once

#include <vector>

#include <sluice/dtls/connection_id.h>
#include <sluice/dtls/routable_connection_id.h>

#include "crypto/keyed_hash.h"
#include "endpoint/slot_table.h"
#include "endpoint/tables.h"

namespace sluice::dtls::endpoint {

// The source of all connections of an Endpoint: no two of them have the same ID. The IDs are in the
// connections only; the index takes 8 bytes for each, as SlotIndex says.
//
// An input to a connection may make and retire IDs. Follow it with settle(), before an input to
// another connection.
class IdIndex final : public ConnectionIdSource {
 public:
  // `slots` and `hash` must outlive the object. `source`: makes the IDs; null: random ones.
  IdIndex(const SlotTable& slots, const crypto::KeyedHash& hash, Environment& environment,
          ConnectionIdSource* source)
      : slots_(slots), hash_(hash), environment_(environment), source_(source) {
    if (source != nullptr) size_ = source->size();
  }

  // All connections share one size, because a record does not say how long its ID is. Without a
  // source, the first Config that has IDs decides. Errors: invalid_config.
  Result<void> use_size_of(const ConfigOptions& config);
  // Makes room for the IDs of `count` connections, one each.
  void reserve(std::size_t count) {
    if (size_ != 0) by_id_.reserve(count);
  }

  // 0: there are no IDs.
  [[nodiscard]] std::size_t size() const override { return size_; }
  // An ID that no connection has. Errors: connection_id_in_use where the source repeats itself,
  // those of the source.
  Result<void> make(MutableBytes out) override;
  void retire(Bytes id) override;

  // The ID that the first record of a datagram has; empty: none.
  [[nodiscard]] Bytes id_in(Bytes datagram) const {
    return connection_id_in(datagram, size_).value_or(Bytes{});
  }
  // The connection whose ID this is; kNoSlot: there is none.
  [[nodiscard]] SlotNumber find(Bytes id) const;
  // IDs were made for the connection of this slot, or retired by it.
  void settle(SlotNumber slot) {
    if (!made_.empty() || !retired_.empty()) enter(slot);
  }
  // The connection was restored with its IDs.
  void enter_all(SlotNumber slot);
  // The connection ends.
  void remove(SlotNumber slot);

 private:
  [[nodiscard]] bool is_in_use(Bytes id) const;
  void enter(SlotNumber slot);

  const SlotTable& slots_;
  const crypto::KeyedHash& hash_;
  Environment& environment_;
  ConnectionIdSource* source_;
  std::size_t size_ = 0;
  SlotIndex by_id_;
  // Since the last settle().
  std::vector<ConnectionId> made_;
  std::vector<ConnectionId> retired_;
};

}  // namespace sluice::dtls::endpoint
