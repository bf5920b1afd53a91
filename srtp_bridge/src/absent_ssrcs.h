// What a direction of a session keeps of SSRCs that have no stream in libsrtp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "index_history.h"
#include "ssrc_map.h"

namespace sluice::srtp {

// What has been received of an inbound SSRC before its stream in libsrtp began.
struct ReceivedBefore {
  IndexHistory rtp = {};
  IndexHistory srtcp = {};
};

// Most sessions have none: the tables are made for the first.
class AbsentSsrcs {
 public:
  // ---- outbound: those that are not used again

  void retire(std::uint32_t ssrc) { tables().retired.insert(ssrc); }
  [[nodiscard]] bool is_retired(std::uint32_t ssrc) const {
    return tables_ != nullptr && tables_->retired.contains(ssrc);
  }

  // ---- inbound: those that may come again

  void remove(std::uint32_t ssrc, ReceivedBefore before) {
    tables().removed[ssrc] = std::move(before);
  }
  // Null: it was not removed.
  [[nodiscard]] ReceivedBefore* find_removed(std::uint32_t ssrc) const {
    if (tables_ == nullptr) return nullptr;
    const auto found = tables_->removed.find(ssrc);
    return found != tables_->removed.end() ? &found->second : nullptr;
  }

  // ---- inbound: those whose RTP has not come yet, and with which roll-over counter it will begin

  void expect(std::uint32_t ssrc, std::uint32_t counter) {
    tables().expected_roll_overs[ssrc] = counter;
  }
  [[nodiscard]] std::optional<std::uint32_t> expected_roll_overs(std::uint32_t ssrc) const {
    if (tables_ == nullptr) return std::nullopt;
    const auto found = tables_->expected_roll_overs.find(ssrc);
    return found != tables_->expected_roll_overs.end() ? std::optional(found->second)
                                                       : std::nullopt;
  }
  [[nodiscard]] std::size_t expected() const {
    return tables_ != nullptr ? tables_->expected_roll_overs.size() : 0;
  }

  // Calls `visit` with each that is expected, and its counter.
  template <class Visit>
  void for_each_expected(Visit visit) const {
    if (tables_ == nullptr) return;
    for (const auto& [ssrc, counter] : tables_->expected_roll_overs) visit(ssrc, counter);
  }

  // It has come.
  void forget(std::uint32_t ssrc) {
    if (tables_ == nullptr) return;
    tables_->removed.erase(ssrc);
    tables_->expected_roll_overs.erase(ssrc);
  }

  // Those that are retired or removed.
  [[nodiscard]] std::size_t gone() const {
    return tables_ != nullptr ? tables_->retired.size() + tables_->removed.size() : 0;
  }
  // Calls `visit` with each that is retired.
  template <class Visit>
  void for_each_retired(Visit visit) const {
    if (tables_ == nullptr) return;
    for (const auto ssrc : tables_->retired) visit(ssrc);
  }
  // Calls `visit` with each that was removed, and what has been received of it.
  template <class Visit>
  void for_each_removed(Visit visit) {
    if (tables_ == nullptr) return;
    for (auto& [ssrc, before] : tables_->removed) visit(ssrc, before);
  }

 private:
  struct Tables {
    SsrcSet retired;
    SsrcMap<ReceivedBefore> removed;
    SsrcMap<std::uint32_t> expected_roll_overs;
  };

  Tables& tables() {
    if (tables_ == nullptr) tables_ = std::make_unique<Tables>();
    return *tables_;
  }

  std::unique_ptr<Tables> tables_;
};

}  // namespace sluice::srtp
