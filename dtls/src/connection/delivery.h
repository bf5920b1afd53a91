// Application data that waits to be polled.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <sluice/dtls/bytes.h>

namespace sluice::dtls::connection {

// Nearly always one record a datagram: only where there are more does it allocate.
class Delivery {
 public:
  void push(MutableBytes data) {
    // An empty record's may be null.
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
  // What it has allocated stays for those who send in such a way.
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

  MutableBytes first_;  // null: taken, or nothing
  std::unique_ptr<Rest> rest_;
};

}  // namespace sluice::dtls::connection
