#include "crypto/random_reserve.h"

#include <sys/mman.h>

#include <algorithm>

#include <sluice/dtls/secret.h>

namespace sluice::dtls::crypto {

#ifdef MADV_WIPEONFORK

RandomReserve::RandomReserve() {
  void* const memory =
      mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  std::unique_ptr<Page, Unmap> page(static_cast<Page*>(memory));
  if (madvise(memory, sizeof(Page), MADV_WIPEONFORK) == 0) page_ = std::move(page);
}

#else

RandomReserve::RandomReserve() = default;

#endif

void RandomReserve::Unmap::operator()(Page* page) const {
  cleanse(page->bytes);
  munmap(page, sizeof(Page));
}

void RandomReserve::move_to(MutableBytes out) {
  page_->left -= out.size();
  const MutableBytes taken = MutableBytes(page_->bytes).subspan(page_->left, out.size());
  std::ranges::copy(taken, out.begin());
  cleanse(taken);
}

}  // namespace sluice::dtls::crypto
