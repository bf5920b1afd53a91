#include "index_history.h"

#include <utility>

namespace sluice::srtp {

IndexHistory::IndexHistory(std::uint64_t highest, dtls::Buffer older) : highest_(highest) {
  while (!older.empty() && older.back() == std::byte{0xff}) older.pop_back();
  if (!older.empty()) older_ = std::make_unique<const dtls::Buffer>(std::move(older));
}

bool IndexHistory::is_older_used(std::uint64_t place) const {
  const auto byte = place / 8;
  if (byte >= older_->size()) return true;
  return ((*older_)[byte] >> place % 8 & std::byte{1}) != std::byte{0};
}

}  // namespace sluice::srtp
