// The record layer of a connection, and the state that it has only while it is in use: ciphers, and
// undelivered application data.
#pragma once

#include <memory>
#include <optional>

#include "connection/delivery.h"
#include "connection/phase.h"
#include "connection/shared.h"
#include "crypto/warm_list.h"

namespace sluice::dtls::connection {

// Most connections are silent. The least recently used ones lose their ciphers (crypto::WarmList).
// The next record that is sent or received makes the ciphers again from the secrets.
class WarmState {
 public:
  // As RecordLayer's constructor.
  WarmState(std::size_t padding, std::size_t replay_window) : records_(padding, replay_window) {}
  WarmState(const WarmState&) = delete;
  WarmState& operator=(const WarmState&) = delete;
  ~WarmState() = default;

  [[nodiscard]] record::RecordLayer& records() { return records_; }
  [[nodiscard]] const record::RecordLayer& records() const { return records_; }

  // ---- undelivered application data

  void deliver(MutableBytes data) { in_use().data.push(data); }
  [[nodiscard]] bool has_data() const { return in_use_ != nullptr && !in_use_->data.empty(); }
  std::optional<MutableBytes> take_data() {
    return in_use_ != nullptr ? in_use_->data.take() : std::nullopt;
  }
  void drop_data() {
    if (in_use_ != nullptr) in_use_->data.clear();
  }

  // ---- ciphers

  // Makes the ciphers if the connection is cold. Until mark_used() it is the first one to go cold
  // again.
  Result<void> warm_up(const Shared& shared, const Phase& phase) {
    return records_.is_cold() ? make_ciphers(shared, phase) : Result<void>();
  }
  // A record was opened or sealed. A connection does not go cold before its peer is accepted.
  void mark_used(const Shared& shared, const Phase& phase) {
    const bool is_newest = in_use_ != nullptr && shared.library.warm_list().is_newest(*in_use_);
    if (!is_newest) enter_list(shared, phase);
  }
  // Call this before the connection ends or is destroyed.
  void leave_list(crypto::Library& library) {
    if (in_use_ != nullptr) library.warm_list().leave(*in_use_);
  }
  // Frees the memory that a cold connection without data does not need.
  void release_unused() {
    if (records_.is_cold() && !has_data()) in_use_.reset();
  }

 private:
  // The place in the list, and the data; a silent connection has neither.
  struct InUse final : crypto::WarmList::Member {
    explicit InUse(WarmState& its_owner) : owner(its_owner) {}
    // May delete this object.
    void cool() override {
      owner.records_.cool();
      owner.release_unused();
    }
    WarmState& owner;
    Delivery data;
  };

  InUse& in_use() {
    if (in_use_ == nullptr) in_use_ = std::make_unique<InUse>(*this);
    return *in_use_;
  }
  Result<void> make_ciphers(const Shared& shared, const Phase& phase);
  void enter_list(const Shared& shared, const Phase& phase);

  record::RecordLayer records_;
  std::unique_ptr<InUse> in_use_;  // null: cold, or no record was sent or received yet
};

}  // namespace sluice::dtls::connection
