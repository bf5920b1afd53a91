// Application data that the caller has not polled yet.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::connection {

// Allocates only for datagrams with more than one record, which are rare.
class Delivery {
 public:
  void push(MutableBytes data) {
    // The span of an empty record may be null.
    static std::byte nothing{};
    if (data.data() == nullptr) data = MutableBytes(&nothing, 0);
    if (first_.data() == nullptr && rest_ == nullptr) {
      first_ = data;
      return;
    }
    if (rest_ == nullptr) rest_ = std::make_unique<Rest>();
    rest_->spans.push_back(data);
  }
  std::optional<MutableBytes> take() {
    if (first_.data() != nullptr) return std::exchange(first_, {});
    if (empty()) return std::nullopt;
    return rest_->spans[rest_->next++];
  }
  [[nodiscard]] bool empty() const {
    return first_.data() == nullptr && (rest_ == nullptr || rest_->next == rest_->spans.size());
  }
  // Keeps the memory, because a peer that sends several records per datagram is likely to repeat
  // it.
  void clear() {
    first_ = {};
    if (rest_ == nullptr) return;
    rest_->spans.clear();
    rest_->next = 0;
  }

 private:
  struct Rest {
    std::vector<MutableBytes> spans;
    std::size_t next = 0;
  };

  MutableBytes first_;  // null: none, or already taken
  std::unique_ptr<Rest> rest_;
};

}  // namespace sluice::dtls::connection
