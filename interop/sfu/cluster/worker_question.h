// A question to the thread of a worker, from a thread that may wait.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "sfu/media_threads.h"

namespace sluice::interop::sfu {

// Empty: there is no answer in time. The work may run after that, so it must use copies.
template <class Answer>
std::optional<Answer> ask_worker(MediaThreads& media, std::size_t worker,
                                 std::function<Answer(Sfu&, dtls::Instant)> work) {
  constexpr std::chrono::seconds kLimit{2};
  auto promise = std::make_shared<std::promise<Answer>>();
  auto answer = promise->get_future();
  const bool is_posted =
      media.post(worker, [promise, work = std::move(work)](Sfu& sfu, dtls::Instant now) {
        promise->set_value(work(sfu, now));
      });
  if (!is_posted || answer.wait_for(kLimit) != std::future_status::ready) return std::nullopt;
  return answer.get();
}

}  // namespace sluice::interop::sfu
