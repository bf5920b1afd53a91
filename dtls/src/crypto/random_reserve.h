// Random bytes that are drawn before they are needed.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

namespace sluice::dtls::crypto {

// A call of libcrypto's generator costs more than the bytes that it returns, so one call fills the
// reserve. After fork() parent and child would use the same bytes. Therefore the reserve is memory
// that the kernel fills with zeros in the child (MADV_WIPEONFORK, Linux 4.14). Zeros mean that the
// reserve is empty. Where the kernel has no such memory there is no reserve.
class RandomReserve {
 public:
  static constexpr std::size_t kSize = 512;  // 16 randoms of a hello

  RandomReserve();

  // Whether there is a reserve.
  [[nodiscard]] bool exists() const { return page_ != nullptr; }
  // Moves bytes to `out`, at most kSize. `fill(MutableBytes)` refills the reserve if it has fewer;
  // its error is returned. There must be a reserve.
  template <class Fill>
  Result<void> take(MutableBytes out, Fill&& fill) {
    if (page_->left < out.size()) {
      page_->left = 0;
      if (auto filled = fill(MutableBytes(page_->bytes)); !filled) return filled;
      page_->left = kSize;
    }
    move_to(out);
    return {};
  }

 private:
  struct Page {
    std::size_t left;  // the first so many bytes are unused
    std::array<std::byte, kSize> bytes;
  };
  struct Unmap {
    void operator()(Page* page) const;
  };

  // Copies the last of the unused bytes and wipes them here.
  void move_to(MutableBytes out);

  std::unique_ptr<Page, Unmap> page_;
};

}  // namespace sluice::dtls::crypto
