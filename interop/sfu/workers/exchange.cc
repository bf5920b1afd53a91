#include "sfu/workers/exchange.h"

#include <utility>

namespace sluice::interop::sfu {

tl::expected<std::unique_ptr<Exchange>, std::string> Exchange::make(std::size_t workers) {
  std::unique_ptr<Exchange> made{new Exchange};
  for (std::size_t thread = 0; thread <= workers; ++thread) {
    auto wake_up = WakeUp::open();
    if (!wake_up) return tl::unexpected(wake_up.error());
    made->threads_.push_back(std::make_unique<Thread>(*std::move(wake_up)));
    if (thread == workers) break;
    for (std::size_t from = 0; from < workers; ++from) {
      if (from != thread) made->threads_.back()->from.at(from) = std::make_unique<MirrorQueue>();
    }
  }
  return made;
}

bool Exchange::send(std::size_t from, std::size_t to, const MirrorHeader& header,
                    dtls::Bytes bytes) {
  threads_[from]->has_sent_to.at(to) = true;
  return between(from, to).push(header, bytes);
}

void Exchange::flush(std::size_t from) {
  for (std::size_t to = 0; to < workers(); ++to) {
    if (std::exchange(threads_[from]->has_sent_to.at(to), false)) wake_up(to).notify();
  }
}

Exchange::Dropped Exchange::dropped() const {
  Dropped sum{.unknown = unknown_.load(std::memory_order_relaxed)};
  for (const auto& thread : threads_) {
    sum.datagrams += thread->from_port.dropped();
    sum.tcp += thread->to_port.dropped();
    for (const auto& queue : thread->from) {
      if (queue) sum.packets += queue->dropped();
    }
  }
  return sum;
}

}  // namespace sluice::interop::sfu
